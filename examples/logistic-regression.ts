/**
 * The engine on its own: logistic regression on points in the plane, two classes, in forty lines. Nothing here knows of CLIP.
 *
 *     npm run example -- logistic-regression
 */
import { pathToFileURL } from 'node:url';
import { type Backend, CpuBackend, crossEntropy, Engine, linear, mean, Sgd } from 'ptdpc';

/** Two clouds of points around (1, 1) and (-1, -1): [count, 2] and labels. */
function twoClouds(count: number): { points: number[]; labels: number[] } {
  const labels = Array.from({ length: count }, (_, i) => i % 2);
  // A low-discrepancy sequence stands in for random numbers: the golden ratio's multiples spread evenly.
  const spread = (i: number, by: number) => ((i * by) % 1) * 3 - 1.5;
  const points = labels.flatMap((label, i) => {
    const centre = label === 1 ? 1 : -1;
    return [centre + spread(i, 0.618034), centre + spread(i, 0.754878)];
  });
  return { points, labels };
}

/** Trains on `backend`; returns the loss of every step and the learned weight [2, 2] and bias [2]. */
export async function logisticRegression(backend: Backend, steps = 40) {
  const engine = new Engine(backend);
  const { points, labels } = twoClouds(64);
  const x = engine.tensor(points, [64, 2]);
  const y = engine.indices(labels);
  using weight = engine.parameter([0, 0, 0, 0], [2, 2]);
  using bias = engine.parameter([0, 0], [2]);
  using optimizer = new Sgd([weight, bias], { momentum: 0.9 });

  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    // Everything made in the scope is freed at its end, except what it returns.
    const loss = engine.scope(() =>
      engine.withTape((tape) => {
        const loss = mean(crossEntropy(linear(x, weight, bias), y));
        tape.backward(loss);
        return loss;
      }),
    );
    optimizer.step(0.5);
    weight.zeroGrad();
    bias.zeroGrad();
    losses.push(...(await loss.read()));
    loss.dispose();
  }

  const learned = { losses, weight: await weight.read(), bias: await bias.read() };
  x.dispose();
  y.dispose();
  return learned;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { losses, weight, bias } = await logisticRegression(new CpuBackend());
  const shown = (values: Float32Array) => Array.from(values, (value) => value.toFixed(2)).join(' ');
  console.log(
    `loss ${losses[0]?.toFixed(4)} -> ${losses.at(-1)?.toFixed(4)}, weight ${shown(weight)}, bias ${shown(bias)}`,
  );
}
