/**
 * Renders the pictures and captions that the demonstration model is trained on, from `src/demo`.
 *
 *   node render_demo_pairs.mjs OUT_DIR KIND FIRST COUNT [FEELING_RATE FEELING_ALONE_RATE]
 *
 * KIND `pairs` writes COUNT scenes of random emotions, the FIRST one with that seed, with four captions each; it keeps
 * well away from the seeds of the labelled splits. KIND `phrases` writes every phrase of the captions, one a line.
 * KIND train, val or test writes COUNT labelled scenes of each emotion, with FIRST as the seed of the data set.
 *
 * OUT_DIR gets NAME.rgb (96 x 72 x 3 bytes a scene) and NAME.jsonl (`emotion`, `captions`), NAME being KIND-FIRST.
 */
import { createWriteStream, mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const [, , outDir, kind, first = '0', count = '1', feelingRate = '0.1', feelingAloneRate = '0.5'] = process.argv;
const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
mkdirSync(outDir, { recursive: true });
const bundle = join(outDir, `demo-${process.pid}.mjs`);
await build({
  entryPoints: [join(root, 'src/demo/index.ts')],
  bundle: true,
  format: 'esm',
  outfile: bundle,
  logLevel: 'error',
});
const demo = await import(pathToFileURL(bundle).href);
unlinkSync(bundle);

if (kind === 'phrases') {
  writeFileSync(join(outDir, 'phrases.txt'), `${demo.captionPhrases().join('\n')}\n`);
  process.exit();
}

const captionOptions = { feelingRate: Number(feelingRate), feelingAloneRate: Number(feelingAloneRate) };
function* pairs() {
  for (let index = 0; index < Number(count); index++) {
    const seed = demo.mixSeeds(0xca9710, Number(first) + index);
    const random = new demo.Random(seed);
    const scene = demo.renderScene(random.pick(demo.EMOTIONS), random.uint32());
    const captions = [0, 1, 2, 3].map(() => demo.describeScene(scene.attributes, random, captionOptions));
    yield { scene, captions };
  }
}
function* labelled() {
  for (const { pixels } of demo.demoScenes({ perClass: Number(count), split: kind, seed: Number(first) })) {
    yield { scene: pixels, captions: [] };
  }
}

const pixels = createWriteStream(join(outDir, `${kind}-${first}.rgb`));
const lines = createWriteStream(join(outDir, `${kind}-${first}.jsonl`));
for (const { scene, captions } of kind === 'pairs' ? pairs() : labelled()) {
  lines.write(`${JSON.stringify({ emotion: scene.emotion, captions })}\n`);
  if (!pixels.write(scene.data)) await new Promise((resolve) => pixels.once('drain', resolve));
}
pixels.end();
lines.end();
