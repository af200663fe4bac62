/**
 * onnxruntime on an image encoder: node onnxruntime_encode.mjs cpu|webgpu <file.onnx> <batch> <runs>. export_vision_tower.py and
 * pytorch_encoders.py write such files. Prints one JSON line.
 */
import ort from 'onnxruntime-node';
import { random, versionOf } from './matmul.mjs';

const [backend, file, batch, runs] = process.argv.slice(2).map((word, i) => (i < 2 ? word : Number(word)));
const session = await ort.InferenceSession.create(file, { executionProviders: [backend], logSeverityLevel: 4 });
const pixels = new ort.Tensor('float32', random(batch * 3 * 224 * 224), [batch, 3, 224, 224]);
await session.run({ pixels });
const seconds = [];
for (let run = 0; run < runs; run++) {
  const start = performance.now();
  await session.run({ pixels });
  seconds.push((performance.now() - start) / 1000);
}
seconds.sort((a, b) => a - b);
const value = Number((batch / seconds[Math.floor(runs / 2)]).toPrecision(4));
const peer = `onnxruntime ${versionOf('onnxruntime-node')} ${backend}`;
process.stdout.write(`${JSON.stringify({ peer, unit: 'images/s', value })}\n`, () =>
  process.kill(process.pid, 'SIGKILL'),
);
