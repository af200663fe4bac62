/**
 * Which tokens of CLIP's vocabulary lie nearest to learned ones. Zhou et al. (2022, CoOp, section 4.3) read learned prompts this way,
 * by Euclidean distance; with class-specific prompts there is merely more to read.
 *
 * The whole token embedding passes the device once, in pieces that fit a memory budget; the few best of all are then measured again
 * in float64, so that a token that has not moved is at distance 0 and not at the square root of a rounding error.
 */
import type { TokenEmbeddings } from '../clip/towers/index.js';
import { type Engine, matmul, type Tensor } from '../tensor/index.js';
import { ROW_SHARE, tooLittleMemory } from './budget.js';
import type { WordMetric } from './options.js';

/** Which words are looked for, and how. */
export interface NearestWordsOptions {
  /** Tokens of the vocabulary to find for each learned one; fewer if there are not as many. */
  top: number;
  metric: WordMetric;
  /** Tokens of the vocabulary to pass over, by id. */
  skips?: ((id: number) => boolean) | undefined;
  /** Working memory in bytes. */
  memory: number;
  /** Called with the number of tokens of the vocabulary compared since the last call. */
  onProgress?: ((tokens: number) => void) | undefined;
}

/** Two embeddings compared. */
export interface Closeness {
  /** Cosine of the angle; 0 if one of them is zero. */
  similarity: number;
  /** Euclidean. */
  distance: number;
}

/** A token of the vocabulary beside a learned one. */
export interface NearestWord extends Closeness {
  /** Token id. */
  id: number;
}

/** The device finds this many more than asked for: a margin for its rounding, before float64 decides their order. */
const MARGIN = 16;

/** Beyond this many rows a larger piece of the vocabulary is no faster. */
const MOST_ROWS = 8192;

/**
 * The nearest tokens of the vocabulary to each of `vectors` [count, width], the nearest first, the lower id first among equals.
 * Throws InputError if `memory` does not hold one row of the vocabulary beside the vectors.
 */
export async function nearestWords(
  engine: Engine,
  vectors: Float32Array,
  embeddings: TokenEmbeddings,
  options: NearestWordsOptions,
): Promise<NearestWord[][]> {
  const width = (await embeddings.row(0)).length;
  const count = vectors.length / width;
  const rows = vocabularyRows(engine, count, width, options.memory);
  using _limit = engine.workWithin(options.memory);
  using device = engine.scope(() => engine.tensor(vectors, [count, width]).share());
  const best = Array.from({ length: count }, () => new Best(options.top + MARGIN));
  for (let first = 0; first < embeddings.count; first += rows) {
    const some = Math.min(rows, embeddings.count - first);
    await compare(device, await embeddings.rows(first, some), first, best, options);
    options.onProgress?.(some);
  }
  const nearest: NearestWord[][] = [];
  for (const [i, { ids }] of best.entries()) {
    const vector = vectors.subarray(i * width, (i + 1) * width);
    const found: NearestWord[] = [];
    for (const id of ids) found.push({ id, ...closeness(vector, await embeddings.row(id)) });
    nearest.push(found.sort(byMetric(options.metric)).slice(0, options.top));
  }
  return nearest;
}

/** Two vectors of the same length compared in float64. */
export function closeness(a: Float32Array, b: Float32Array): Closeness {
  let [dot, aa, bb, squares] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    dot += x * y;
    aa += x * x;
    bb += y * y;
    squares += (x - y) ** 2;
  }
  const lengths = Math.sqrt(aa * bb);
  return { similarity: lengths === 0 ? 0 : dot / lengths, distance: Math.sqrt(squares) };
}

/** Offers the tokens with embeddings `piece` [rows, width] and ids from `first` on to the best so far. */
async function compare(
  vectors: Tensor,
  piece: Float32Array,
  first: number,
  best: readonly Best[],
  { metric, skips }: NearestWordsOptions,
): Promise<void> {
  const { engine, columns: width } = vectors;
  const rows = piece.length / width;
  using products = engine.scope(() => matmul(vectors, engine.tensor(piece, [rows, width]), { transposeB: true }));
  const dots = await products.read();
  const squares = rowSquares(piece, width);
  for (let row = 0; row < rows; row++) {
    if (skips?.(first + row)) continue;
    const square = squares[row]!;
    // Of the vectors' own lengths neither order depends: only what changes from token to token is computed.
    const factor = square === 0 ? 0 : 1 / Math.sqrt(square);
    for (const [i, ranking] of best.entries()) {
      const dot = dots[i * rows + row]!;
      ranking.offer(first + row, metric === 'cosine' ? dot * factor : 2 * dot - square);
    }
  }
}

/** The ids with the highest scores among those offered, the earlier first among equals. */
class Best {
  readonly ids: number[] = [];
  readonly #scores: number[] = [];

  constructor(private readonly most: number) {}

  offer(id: number, score: number): void {
    const scores = this.#scores;
    if (scores.length === this.most && score <= scores.at(-1)!) return;
    let at = scores.length;
    while (at > 0 && scores[at - 1]! < score) at--;
    scores.splice(at, 0, score);
    this.ids.splice(at, 0, id);
    if (scores.length > this.most) {
      scores.pop();
      this.ids.pop();
    }
  }
}

function byMetric(metric: WordMetric): (a: NearestWord, b: NearestWord) => number {
  return metric === 'cosine'
    ? (a, b) => b.similarity - a.similarity || a.id - b.id
    : (a, b) => a.distance - b.distance || a.id - b.id;
}

/** Squared length of each row. */
function rowSquares(data: Float32Array, width: number): Float64Array {
  return Float64Array.from({ length: data.length / width }, (_, row) => {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) sum += data[i]! ** 2;
    return sum;
  });
}

/** Rows of the vocabulary that are compared at once with `count` vectors. */
function vocabularyRows({ backend }: Engine, count: number, width: number, memory: number): number {
  // The vectors and the rows: on the host, on the device, and there perhaps once more in another order. Products: on both.
  const rest = backend.memory.fixedBytes + 4 * 3 * count * width;
  const bytesPerRow = 4 * (3 * width + 2 * count) + 8;
  const rows = Math.floor(((memory - rest) * ROW_SHARE) / bytesPerRow);
  if (rows >= 1) return Math.min(MOST_ROWS, rows);
  const what = `to compare ${count} learned tokens with a vocabulary takes`;
  throw tooLittleMemory(what, bytesPerRow / ROW_SHARE + rest, memory);
}
