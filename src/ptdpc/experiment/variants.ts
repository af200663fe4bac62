/** The rows of the paper's tables as computations: prompts of a mode and template, zero-shot, or a linear probe. */
import { type Mode, PRESETS, type Preset } from '../options.js';
import { PAPER_TEMPLATES } from './paper-tables.js';
import type { VariantResult } from './results.js';

export type VariantWork =
  | { kind: 'prompts'; mode: Mode; template: string }
  | { kind: 'zero-shot'; template: string }
  | { kind: 'probe'; encoder: FrozenEncoder };

/** Where features come from: the model's joint or pooled ones (before its projection), or the DeiT that Table 4 compares it with. */
export type FrozenEncoder = 'clip-joint' | 'clip-pooled' | 'deit';

/** A row: its name in task names, its label in tables, and what to compute. */
export interface Variant extends VariantResult {
  work: VariantWork;
}

const MODE_ROWS: Readonly<Record<Mode, readonly [label: string, description: string]>> = {
  none: ['neither', 'one prompt shared by all classes and images'],
  is: ['instance-specific', 'one prompt, weighted by the image'],
  cs: ['class-specific', 'a prompt for each class'],
  both: ['both (PT-DPC)', 'prompts of all classes composed by the image'],
};

/** PT-DPC itself: the row that Tables 1 to 4 share. */
export function ourVariant(preset: Preset): Variant {
  return { ...modeVariant('both', preset), label: 'PT-DPC' };
}

/** Table 2's rows, in its order. */
export function modeVariants(preset: Preset): Variant[] {
  const order: readonly Mode[] = ['none', 'is', 'cs', 'both'];
  return order.map((mode) => modeVariant(mode, preset));
}

/** Table 3's rows. If a template is the preset's own, the row is that of `ourVariant`, name included. */
export function templateVariants(preset: Preset): Variant[] {
  const ours = ourVariant(preset);
  return PAPER_TEMPLATES.map((template, i) => {
    const same = ours.work.kind === 'prompts' && ours.work.template === template;
    return {
      name: same ? ours.name : `both-template${i + 1}`,
      label: `PT-DPC-${i + 1}`,
      description: `prompts that start from "${template}"`,
      work: { kind: 'prompts', mode: 'both', template },
    };
  });
}

/** CLIP without tuning; the paper has no such row. */
export function zeroShotVariant(preset: Preset): Variant {
  const { template } = PRESETS[preset];
  return {
    name: 'zero-shot',
    label: 'CLIP, zero-shot',
    description: `no tuning, "${template} <class>"`,
    work: { kind: 'zero-shot', template },
  };
}

/** Table 4's encoders, in the paper's order; the first one only if there is a `deit`. */
export function probeVariants(deit: { path: string; sha256: string } | null) {
  const clip = 'a linear layer on the features of the image tower,';
  return {
    deit: deit && probeVariant('deit', 'DeiT', `a linear layer on the features of ${named(deit)}`, 'deit'),
    clipVit: probeVariant(
      'clip-vit',
      'CLIP-ViT',
      `${clip} before their projection into the joint space`,
      'clip-pooled',
    ),
    clip: probeVariant('clip', 'CLIP', `${clip} projected into the joint space`, 'clip-joint'),
  };
}

function probeVariant(name: string, label: string, description: string, encoder: FrozenEncoder): Variant {
  return { name, label, description, work: { kind: 'probe', encoder } };
}

/** A checkpoint's file name, and enough of its hash to identify it. */
function named({ path, sha256 }: { path: string; sha256: string }): string {
  return `${baseName(path)} (SHA-256 ${sha256.slice(0, 12)}...)`;
}

/** The last part of a path, with either separator. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== '') ?? path;
}

function modeVariant(mode: Mode, preset: Preset): Variant {
  const [label, description] = MODE_ROWS[mode];
  return { name: mode, label, description, work: { kind: 'prompts', mode, template: PRESETS[preset].template } };
}
