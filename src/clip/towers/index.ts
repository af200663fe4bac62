/** The two towers: weights from a checkpoint, the transformer that they share, and the attention plan of a batch. */
export { type ModelFootprint, modelFootprint } from './footprint.js';
export { Latest } from './latest.js';
export { picturePlan, type RowPlan, type Tree, treePlan } from './row-plan.js';
export { readLogitScale, TextTower, TokenEmbeddings, withPosition } from './text-tower.js';
export type { TowerPrompts } from './tower-prompts.js';
export { type BlockInput, largestWeightBytes, layerProducts } from './transformer.js';
export { VisionTower } from './vision-tower.js';
