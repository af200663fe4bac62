/**
 * What others computed with a published checkpoint. Rows and columns are picked out of the last hidden states as
 * transformers has them: of the image tower before its last layer norm, of the text tower after it; `pooled` is CLS
 * after the last layer norm, and the text's at end-of-text.
 */
export interface ReferenceNumbers {
  /** The checkpoint that they are of. */
  readonly model: string;
  readonly source: string;
  readonly image: {
    /** Normalised pixels [1, 3, size, size]; one number stands for all of them. */
    readonly pixels: number | Float32Array;
    readonly hidden?: Block;
    readonly pooled: Block;
  };
  readonly text: {
    readonly ids: readonly number[];
    readonly hidden?: Block;
    readonly pooled: Block;
  };
}

/** A corner of a matrix: `values[r][c]` stands at row `firstRow + r` and column `firstColumn + c`. */
export interface Block {
  readonly firstRow: number;
  readonly firstColumn: number;
  readonly values: readonly (readonly number[])[];
}

const at1 = (values: readonly (readonly number[])[]): Block => ({ firstRow: 1, firstColumn: 1, values });

/** OpenAI's ViT-B/32 (`openai/clip-vit-base-patch32`), to four decimals. */
export const OPENAI_VIT_B32: ReferenceNumbers = {
  model: "OpenAI's ViT-B/32",
  source: 'the test suite of elixir-nx/bumblebee, computed with transformers',
  image: {
    pixels: 0.5,
    hidden: at1([
      [0.3465, -0.3939, -0.5297],
      [0.3588, -0.2529, -0.5606],
      [0.3958, -0.2688, -0.5367],
    ]),
    pooled: at1([[0.3602, 0.3658, -0.2337]]),
  },
  text: {
    // "a photo of a cat"
    ids: [49406, 320, 1125, 539, 320, 2368, 49407],
    hidden: at1([
      [-0.5844, 0.3685, -2.0744],
      [-0.96, 1.0018, -0.2415],
      [-0.5957, -0.1719, 0.4689],
    ]),
    pooled: at1([[0.1658, 0.8876, 10.6313]]),
  },
};
