/**
 * The encoders that the paper's Table 4 compares with CLIP, and their siblings, as their authors publish them: files whose names end in the
 * beginning of their SHA-256 (torchvision's `models/*.py`, `models.py` of facebookresearch/deit), and repositories on the Hugging Face hub.
 */
import { InputError } from '../../errors.js';

/** A file of weights at its publisher's. Its name says how its SHA-256 begins. */
export interface PublishedFile {
  readonly base: string;
  readonly file: string;
}

/** A repository on the hub. */
export interface PublishedRepository {
  readonly id: string;
}

const TORCHVISION = 'https://download.pytorch.org/models/';
const DEIT = 'https://dl.fbaipublicfiles.com/deit/';

const torchvision = (name: string, hash: string) => [name, { base: TORCHVISION, file: `${name}-${hash}.pth` }] as const;
const deit = (name: string, hash: string) => [name, { base: DEIT, file: `${name}-${hash}.pth` }] as const;

/** By the names that `ptdpc fetch` takes. */
export const PUBLISHED_ENCODERS: ReadonlyMap<string, PublishedFile | PublishedRepository> = new Map<
  string,
  PublishedFile | PublishedRepository
>([
  // Those of the paper.
  ['alexnet', { base: TORCHVISION, file: 'alexnet-owt-7be5be79.pth' }],
  torchvision('vgg16', '397923af'),
  torchvision('resnet101', '63fe2227'),
  ['deit', { base: DEIT, file: 'deit_base_patch16_224-b5f2ef4d.pth' }],
  ['beit', { id: 'microsoft/beit-base-patch16-224' }],
  // Their siblings.
  torchvision('vgg11', '8a719046'),
  torchvision('vgg13', '19584684'),
  torchvision('vgg19', 'dcbb9e9d'),
  torchvision('vgg11_bn', '6002323d'),
  torchvision('vgg13_bn', 'abd245e5'),
  torchvision('vgg16_bn', '6c64b313'),
  torchvision('vgg19_bn', 'c79401a0'),
  torchvision('resnet18', 'f37072fd'),
  torchvision('resnet34', 'b627a593'),
  torchvision('resnet50', '0676ba61'),
  torchvision('resnet152', '394f9c45'),
  // A second recipe of training, with the same architecture.
  ['resnet50-v2', { base: TORCHVISION, file: 'resnet50-11ad3fa6.pth' }],
  ['resnet101-v2', { base: TORCHVISION, file: 'resnet101-cd907fc2.pth' }],
  ['resnet152-v2', { base: TORCHVISION, file: 'resnet152-f82ba261.pth' }],
  deit('deit_tiny_patch16_224', 'a1311bcf'),
  deit('deit_small_patch16_224', 'cd65a155'),
  deit('deit_base_patch16_224', 'b5f2ef4d'),
  deit('deit_base_patch16_384', '8de9b5d1'),
  deit('deit_tiny_distilled_patch16_224', 'b40b3cf7'),
  deit('deit_small_distilled_patch16_224', '649709d9'),
  deit('deit_base_distilled_patch16_224', 'df68dfff'),
  deit('deit_base_distilled_patch16_384', 'd0272ac0'),
]);

/** The paper's five: the first names of the list. */
export const PAPER_ENCODERS: readonly string[] = [...PUBLISHED_ENCODERS.keys()].slice(0, 5);

/** How the SHA-256 of a file begins, by its name as torch.hub writes it; undefined if the name does not say. */
export function hashInName(path: string): string | undefined {
  return /-([0-9a-f]{8,64})\.pth?$/.exec(path)?.[1];
}

/** Throws InputError if a file's name says another hash than `hex`, its SHA-256. */
export function requireHashOfName(path: string, hex: string): void {
  const said = hashInName(path);
  if (said === undefined || hex.startsWith(said)) return;
  throw new InputError(
    `${path}: mislabelled or damaged: by its name its SHA-256 begins with ${said}, found ${hex.slice(0, said.length)}...; fetch it again (npx ptdpc fetch), or rename it`,
  );
}
