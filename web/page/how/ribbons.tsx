/** Equation 3 as a drawing: from each class's row, a band as wide as the weight goes to each token of the composed prompt. */
import { fixed, type Steps } from './steps.js';

export interface RibbonsProps {
  readonly steps: Steps;
  /** The token whose bands stand out; undefined: none. */
  readonly token: number | undefined;
}

/** The drawing's own units: it is stretched to the height of the rows beside it. */
const ROW = 30;
const ACROSS = 100;
/** Of a row, the most that bands fill. */
const FILLED = 0.86;

export function Ribbons({ steps, token }: RibbonsProps) {
  const height = ROW * steps.classes.length;
  const bands = bandsOf(steps, height);
  const text =
    token === undefined
      ? 'Bands from the rows of weights to the composed prompt, as wide as the weights.'
      : `Into token ${token + 1} of the prompt: ${steps.promptNames
          .map((name, row) => `${name} ${fixed(steps.answer.weights![row * steps.tokens + token]!, 3)}`)
          .join(', ')}.`;
  return (
    <svg class="ribbons" viewBox={`0 0 ${ACROSS} ${height}`} preserveAspectRatio="none" role="img" aria-label={text}>
      <defs>
        <pattern id="how-negative" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect class="negative-line" width="2" height="4" />
        </pattern>
      </defs>
      {bands.map(({ row, token: j, path, negative }) => (
        <path
          key={`${row} ${j}`}
          d={path}
          class={`band${negative ? ' negative' : ''}${j === token ? ' chosen' : ''}`}
          {...(negative && { fill: 'url(#how-negative)' })}
        />
      ))}
    </svg>
  );
}

interface Band {
  readonly row: number;
  readonly token: number;
  readonly path: string;
  readonly negative: boolean;
}

/** Bands leave a row token by token and enter a token class by class, so that none lies on another at its ends. */
function bandsOf({ prompts, tokens, answer: { weights } }: Steps, height: number): Band[] {
  if (!weights) return [];
  const slot = height / tokens;
  const size = (row: number, token: number) => Math.abs(weights[row * tokens + token]!);
  const sums = (outer: number, inner: number, of: (a: number, b: number) => number) =>
    Array.from({ length: outer }, (_, a) =>
      Array.from({ length: inner }, (_, b) => of(a, b)).reduce((x, y) => x + y, 0),
    );
  const leaving = sums(prompts, tokens, size);
  const entering = sums(tokens, prompts, (token, row) => size(row, token));
  const scale = Math.min((FILLED * ROW) / Math.max(...leaving, 1e-9), (FILLED * slot) / Math.max(...entering, 1e-9));
  const middle = (row: number) => (prompts === 1 ? height / 2 : (row + 0.5) * ROW);
  const from = leaving.map((sum, row) => middle(row) - (scale * sum) / 2);
  const to = entering.map((sum, token) => (token + 0.5) * slot - (scale * sum) / 2);
  const bands: Band[] = [];
  for (let row = 0; row < prompts; row++) {
    for (let token = 0; token < tokens; token++) {
      const wide = scale * size(row, token);
      const [a, b] = [from[row]!, to[token]!];
      from[row] = a + wide;
      to[token] = b + wide;
      bands.push({ row, token, path: bandPath(a, b, wide), negative: weights[row * tokens + token]! < 0 });
    }
  }
  return bands;
}

function bandPath(from: number, to: number, wide: number): string {
  const half = ACROSS / 2;
  const n = (x: number) => x.toFixed(2);
  return (
    `M0 ${n(from)}C${half} ${n(from)} ${half} ${n(to)} ${ACROSS} ${n(to)}V${n(to + wide)}` +
    `C${half} ${n(to + wide)} ${half} ${n(from + wide)} 0 ${n(from + wide)}Z`
  );
}
