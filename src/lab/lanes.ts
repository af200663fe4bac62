/**
 * A kernel whose invocations stand in reverse order within their workgroup: what was the first is the last. If invocations exchange numbers by
 * workgroup memory with all the barriers that this takes, nobody can tell. An adapter that runs a workgroup's subgroups one after the other, as
 * llvmpipe does, shows a race only where the one that must come first happens to come last: so in one of both orders.
 */
import { withoutComments } from '../kernels/webgpu/wgsl-text.js';

const ENTRY_POINT = /@workgroup_size\s*\(([^)]*)\)\s*(?:@compute\s*)?fn\s+\w+\s*\(([^{]*)\)\s*\{/g;
const OWN_PLACE = /@builtin\s*\(\s*(local_invocation_i(?:ndex|d))\s*\)\s*(\w+)\s*:/g;

/**
 * The text with its invocations in reverse order. Undefined if it shares no memory within a workgroup, or if it knows their places in ways that
 * this does not follow: by number in the grid, within a subgroup, in a struct.
 */
export function reversedLanes(wgsl: string): string | undefined {
  const code = withoutComments(wgsl);
  if (!/\bvar\s*<\s*workgroup\s*>/.test(code)) return undefined;
  if (/@builtin\s*\(\s*(?:global_invocation_id|subgroup_invocation_id|subgroup_id)\b/.test(code)) return undefined;
  const places = code.match(OWN_PLACE)?.length ?? 0;
  let followed = 0;
  const reversed = code.replace(ENTRY_POINT, (head: string, size: string) => {
    const [x = '1u', y = '1u', z = '1u'] = size.split(',').map((one) => `u32(${one.trim() || '1'})`);
    const lines: string[] = [];
    const renamed = head.replace(OWN_PLACE, (_, builtin: string, name: string) => {
      followed++;
      const last = builtin === 'local_invocation_id' ? `vec3<u32>(${x}, ${y}, ${z}) - 1u` : `${x} * ${y} * ${z} - 1u`;
      lines.push(`let ${name} = ${last} - in_order_${name};`);
      return `@builtin(${builtin}) in_order_${name}:`;
    });
    return `${renamed} ${lines.join(' ')}`;
  });
  return followed === places && followed > 0 ? reversed : undefined;
}
