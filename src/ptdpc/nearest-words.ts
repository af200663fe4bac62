/**
 * Finds the tokens of CLIP's vocabulary nearest to learned ones, as Zhou et al. (2022, CoOp, section 4.3) do to read learned prompts, by
 * Euclidean distance.
 *
 * The whole token embedding is streamed through the device once, in chunks that fit a memory budget. The few best candidates are then
 * compared again in float64, so that an unchanged token is at distance 0 rather than at the square root of a rounding error.
 */
import type { TokenEmbeddings } from '../clip/towers/index.js';
import { type Engine, matmul, type Tensor } from '../tensor/index.js';
import { ROW_SHARE, tooLittleMemory } from './budget.js';
import type { WordMetric } from './options.js';

/** Options of the search for nearest words. */
export interface NearestWordsOptions {
  /** Number of vocabulary tokens to find for each learned one, if there are as many. */
  top: number;
  metric: WordMetric;
  /** Whether to skip a token id. */
  skips?: ((id: number) => boolean) | undefined;
  /** Working memory in bytes. */
  memory: number;
  /** Called with the number of tokens of the vocabulary compared since the last call. */
  onProgress?: ((tokens: number) => void) | undefined;
}

/** Comparison of two embeddings. */
export interface Closeness {
  /** Cosine similarity; 0 if either is zero. */
  similarity: number;
  /** Euclidean distance. */
  distance: number;
}

/** A token of the vocabulary, compared with a learned one. */
export interface NearestWord extends Closeness {
  /** Token id. */
  id: number;
}

/** Extra candidates found on the device, as a margin for its rounding before they are sorted in float64. */
const MARGIN = 16;

/** A larger chunk of the vocabulary is not faster. */
const MOST_ROWS = 8192;

/**
 * The vocabulary tokens nearest to each of `vectors` [count, width], nearest first, ties by id. Throws InputError if `memory` cannot hold
 * the vectors and one row of the vocabulary.
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

/** Compares two vectors of the same length in float64. */
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

/** Ranks the tokens with embeddings `piece` [rows, width] and ids starting at `first` among the best so far. */
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
    // Terms that depend only on the vector do not affect its ranking and are omitted.
    const factor = square === 0 ? 0 : 1 / Math.sqrt(square);
    for (const [i, ranking] of best.entries()) {
      const dot = dots[i * rows + row]!;
      ranking.offer(first + row, metric === 'cosine' ? dot * factor : 2 * dot - square);
    }
  }
}

/** The ids with the highest scores offered; of equal ones, the earlier comes first. */
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

/** Rows of the vocabulary to compare at once with `count` vectors. */
function vocabularyRows({ backend }: Engine, count: number, width: number, memory: number): number {
  // Vectors and rows: on the host, on the device, and possibly a reordered copy there. Products: on both.
  const rest = backend.memory.fixedBytes + 4 * 3 * count * width;
  const bytesPerRow = 4 * (3 * width + 2 * count) + 8;
  const rows = Math.floor(((memory - rest) * ROW_SHARE) / bytesPerRow);
  if (rows >= 1) return Math.min(MOST_ROWS, rows);
  const what = `comparing ${count} learned tokens with a vocabulary needs`;
  throw tooLittleMemory(what, bytesPerRow / ROW_SHARE + rest, memory);
}
