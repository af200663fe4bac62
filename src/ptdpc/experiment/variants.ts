/** The rows of the paper's tables as computations: prompts of a mode and template, zero-shot, or a linear probe. */
import { type Mode, PRESETS, type PreprocessChoice, type Preset } from '../options.js';
import { PAPER_TEMPLATES, type Row, TABLE_4 } from './paper-tables.js';
import type { VariantResult } from './results.js';

export type VariantWork =
  | { kind: 'prompts'; mode: Mode; template: string }
  | { kind: 'zero-shot'; template: string }
  | { kind: 'probe'; encoder: FrozenEncoder };

/** Where features come from: the model's joint or pooled ones (before its projection), or an encoder that Table 4 compares it with. */
export type FrozenEncoder = 'clip-joint' | 'clip-pooled' | `encoder-${string}`;

/** An encoder beside the model: one of the rows of Table 4. */
export interface PlanEncoder {
  /** The row's name in task names, from its architecture. */
  readonly name: string;
  /** `AlexNet`, `VGG16`, `BEiT`; the paper's row if it has one of that name. */
  readonly architecture: string;
  /** Its checkpoint, and the identity of its features. */
  readonly path: string;
  readonly sha256: string;
  /** Whether its weights are random: a stand-in. */
  readonly random: boolean;
}

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
      note: null,
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
    note: null,
    work: { kind: 'zero-shot', template },
  };
}

const PAPER_ENCODERS: Readonly<Record<string, { label: string; row: Row }>> = TABLE_4.encoders;

/** The paper's row of an architecture; undefined if it has none. */
export function paperEncoder(architecture: string): { label: string; row: Row } | undefined {
  return Object.hasOwn(PAPER_ENCODERS, architecture) ? PAPER_ENCODERS[architecture] : undefined;
}

/** Encoders in the order of Table 4; those that the paper does not have come after its own. */
export function inTableOrder(encoders: readonly PlanEncoder[]): PlanEncoder[] {
  const order = Object.keys(PAPER_ENCODERS);
  const rank = ({ architecture }: PlanEncoder) =>
    order.includes(architecture) ? order.indexOf(architecture) : order.length;
  return [...encoders].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

/** A row of Table 4 that an encoder beside the model has. */
export function encoderVariant(encoder: PlanEncoder, preprocess: PreprocessChoice): Variant {
  const { name, architecture, random } = encoder;
  const what = random ? `a small ${architecture} with random weights (${named(encoder)}), a stand-in` : named(encoder);
  const pictures = preprocess === 'clip' ? "CLIP's" : 'its own';
  return {
    name,
    label: random ? `${architecture} (random)` : (paperEncoder(architecture)?.label ?? architecture),
    description: `a linear layer on the features of ${what}, with ${pictures} image preprocessing`,
    note: [
      ...(random ? ['Not the published encoder: a small stand-in with random weights.'] : []),
      preprocess === 'clip'
        ? "Images prepared as CLIP's are (--preprocess clip)."
        : "Images prepared in the encoder's own way (--preprocess own).",
    ].join(' '),
    work: { kind: 'probe', encoder: `encoder-${name}` },
  };
}

/** Table 4's rows that need no model but the CLIP. */
export function clipProbeVariants() {
  const clip = 'a linear layer on the features of the image tower,';
  return {
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
  return { name, label, description, note: null, work: { kind: 'probe', encoder } };
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
  return {
    name: mode,
    label,
    description,
    note: null,
    work: { kind: 'prompts', mode, template: PRESETS[preset].template },
  };
}
