/** The text that is stepped through, with the line that runs. */
import { useEffect, useRef } from 'preact/hooks';
import type { StepTrace } from '../../../../src/lab/index.js';

export interface CodeProps {
  readonly trace: StepTrace;
  /** The entry point's line first. */
  readonly at: readonly number[];
}

export function Code({ trace: { text, smaller, of }, at }: CodeProps) {
  const box = useRef<HTMLElement>(null);
  const lines = text.split('\n');
  const current = at[0]!;
  useEffect(() => {
    const line = box.current?.children[current - 1];
    if (!box.current || !(line instanceof HTMLElement)) return;
    // Within its own box: the page stays where it is.
    const { scrollTop, clientHeight } = box.current;
    const margin = 2 * line.offsetHeight;
    const [above, below] = [line.offsetTop - margin, line.offsetTop + line.offsetHeight + margin];
    if (above < scrollTop || below > scrollTop + clientHeight)
      box.current.scrollTop = line.offsetTop - clientHeight / 2;
  }, [text, current]);
  const callee = at.length > 1 ? lines[at.at(-1)! - 1]!.trim() : undefined;
  return (
    <div class="step-code">
      <section
        class="step-text"
        ref={box}
        aria-label={`WGSL of ${of.name}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
      >
        {lines.map((line, i) => {
          const place = at.indexOf(i + 1);
          const shipped = of.smaller[smaller.indexOf(i + 1)]?.[0];
          return (
            <div
              key={i}
              class={place < 0 ? undefined : place === 0 ? 'current' : 'called'}
              aria-current={place === 0 ? 'step' : undefined}
            >
              <span class="place">{place < 0 ? i + 1 : place === 0 ? '▶' : '▷'}</span>
              <Line text={line} />
              {shipped !== undefined && <span class="shipped">{`  ⟵ shipped: ${shipped}`}</span>}
            </div>
          );
        })}
      </section>
      <p class="note step-callee">
        {callee !== undefined ? (
          <>
            in <code>{functionAt(lines, at.at(-1)!)}</code>: <code>{callee}</code>
          </>
        ) : (
          'in main'
        )}
      </p>
    </div>
  );
}

function Line({ text }: { readonly text: string }) {
  const comment = text.indexOf('//');
  if (comment < 0) return <>{text}</>;
  return (
    <>
      {text.slice(0, comment)}
      <span class="comment">{text.slice(comment)}</span>
    </>
  );
}

/** The name of the function in which a line stands. */
function functionAt(lines: readonly string[], line: number): string {
  const head = lines.slice(0, line).findLast((one) => one.startsWith('fn '));
  return /^fn (\w+)/.exec(head ?? '')?.[1] ?? 'main';
}
