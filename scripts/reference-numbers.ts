/**
 * Writes src/lab/certify/reference-numbers.generated.ts: what the float64 twins make of the reference models. Run it after a change of these
 * models, and only then: a kernel that gives other numbers is what they are there to find.
 */
import { writeFile } from 'node:fs/promises';
import { CpuBackend } from '../src/kernels/index.js';
import { REFERENCE_MODELS, storedNumbers } from '../src/lab/certify/reference-checks.js';

const models: Record<string, object> = {};
for (const model of REFERENCE_MODELS) models[model] = await storedNumbers(new CpuBackend({ precision: 'f64' }), model);
const text = `// Written by \`npm run reference\` from the float64 twins; do not edit.
import type { ReferenceModel, ReferenceOutput } from './reference-model.js';

/** Of every model and output, the elements that \`storedPlaces\` names. */
export const REFERENCE_NUMBERS: Readonly<Record<ReferenceModel, Readonly<Record<ReferenceOutput, readonly number[]>>>> =
  ${JSON.stringify(models)};
`;
await writeFile('src/lab/certify/reference-numbers.generated.ts', text);
