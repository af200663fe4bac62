/**
 * OpenAI's published CLIPs: their repositories on the Hugging Face hub, and what is known of their files, so that a mirror must serve the
 * same: the weights by their SHA-256, the vocabulary by the SHA-256 of its merges, configuration and preprocessing by what they say.
 *
 * The commits are the latest ones (the repositories have not changed since February 2024), with the hashes that the hub lists
 * for them. The archives' hashes are part of the URLs in clip/clip.py of openai/CLIP.
 */
/** Of the 48,894 merges of CLIP's vocabulary, one per line: lines 2 to 48,895 of bpe_simple_vocab_16e6.txt in openai/CLIP. */
export const MERGES_SHA256 = 'f61f2adf497e6f5357c347aeb4646fabe82f341e946de5bdec5d2858e41bef4a';

export interface PublishedModel {
  /** The repository on the hub. */
  readonly id: string;
  readonly commit: string;
  /** SHA-256 of files at that commit, by name. */
  readonly pins: ReadonlyMap<string, string>;
  /** OpenAI's own TorchScript archive. */
  readonly archive: { readonly name: string; readonly sha256: string };
}

export const PUBLISHED_MODELS: ReadonlyMap<string, PublishedModel> = new Map([
  [
    'ViT-B/32',
    {
      id: 'openai/clip-vit-base-patch32',
      commit: '3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268',
      pins: new Map([['pytorch_model.bin', 'a63082132ba4f97a80bea76823f544493bffa8082296d62d71581a4feff1576f']]),
      archive: {
        name: 'ViT-B-32.pt',
        sha256: '40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af',
      },
    },
  ],
  [
    'ViT-B/16',
    {
      id: 'openai/clip-vit-base-patch16',
      commit: '57c216476eefef5ab752ec549e440a49ae4ae5f3',
      pins: new Map([['pytorch_model.bin', 'ec89c7b09c749a60aae3c9cd910516f24b58214a7df060b48962d14c469cfbf0']]),
      archive: {
        name: 'ViT-B-16.pt',
        sha256: '5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f',
      },
    },
  ],
  [
    'ViT-L/14',
    {
      id: 'openai/clip-vit-large-patch14',
      commit: '32bd64288804d66eefd0ccbe215aa642df71cc41',
      pins: new Map([['model.safetensors', 'a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb']]),
      archive: {
        name: 'ViT-L-14.pt',
        sha256: 'b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836',
      },
    },
  ],
]);
