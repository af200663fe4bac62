/** CLIP: configuration, checkpoint formats, tokenizer, image preprocessing, and the two towers on the engine. */
export type {} from '../platform-types.js';

export * from './checkpoint/index.js';
export * from './config.js';
export * from './image/index.js';
export * from './tokenizer/index.js';
export * from './towers/index.js';
