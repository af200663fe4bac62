import { expect, it } from 'vitest';
import { distributionScores } from '../../src/ptdpc/label-distributions.js';
import { votesLoss } from '../../src/ptdpc/votes-loss.js';
import { checkGradient, crossEntropy, Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { randomReals } from '../support/random.js';

const [ROWS, COLUMNS] = [5, 7];
/** Shares of votes; the first two classes of every image have none, and the last image has all votes for one class. */
const votes = new Float32Array(ROWS * COLUMNS);
for (let i = 0; i < ROWS; i++) {
  const own = Array.from(randomReals(i)(COLUMNS), (x, c) =>
    c < 2 || (i === ROWS - 1 && c !== 4) ? 0 : Math.abs(x) + 0.1,
  );
  const all = own.reduce((a, b) => a + b);
  own.forEach((share, c) => {
    votes[i * COLUMNS + c] = share / all;
  });
}
const labels = Int32Array.of(3, 2, 6, 0, 4);
const logits = Float32Array.from(randomReals(99)(ROWS * COLUMNS), (x) => 4 * x);

describeOnAll('the divergence from votes', (device) => {
  it('is the measure of the same name, whichever class is the label', async () => {
    const engine = new Engine(device());
    using divergences = engine.scope(() => votesLoss(engine.tensor(logits, [ROWS, COLUMNS]), labels, votes));
    const losses = await divergences.read();
    for (let i = 0; i < ROWS; i++) {
      const row = logits.subarray(i * COLUMNS, (i + 1) * COLUMNS);
      const logSum = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
      const logs = Float64Array.from(row, (x) => x - logSum);
      const { kullbackLeibler } = distributionScores(
        votes.subarray(i * COLUMNS, (i + 1) * COLUMNS),
        logs.map(Math.exp),
        logs,
      );
      expect(losses[i]).toBeCloseTo(kullbackLeibler, 5);
    }
  });

  it('is the cross-entropy where all votes are for one class', async () => {
    const engine = new Engine(device());
    const onehot = Float32Array.from(votes, (_, k) => Number(k % COLUMNS === labels[Math.floor(k / COLUMNS)]));
    const [own, expected] = engine.scope(() => {
      const x = engine.tensor(logits, [ROWS, COLUMNS]);
      return [votesLoss(x, labels, onehot), crossEntropy(x, engine.indices(labels))];
    });
    expect(await own!.read()).toEqual(await expected!.read());
    own!.dispose();
    expected!.dispose();
  });

  it('has the gradient of central differences, which is softmax(x) - d', async () => {
    const inputs = [{ shape: [ROWS, COLUMNS], values: logits }];
    const report = await checkGradient((x) => votesLoss(x, labels, votes), inputs, { engine: new Engine(device()) });
    expect(report.passed, String(report)).toBe(true);
    const engine = new Engine(device());
    using x = engine.parameter(logits, [ROWS, COLUMNS]);
    engine.scope(() =>
      engine.withTape((tape) => {
        const losses = votesLoss(x, labels, votes);
        tape.backward(losses, engine.tensor(new Float32Array(ROWS).fill(1), [ROWS]));
      }),
    );
    const gradient = await x.grad!.read();
    x.zeroGrad();
    for (let i = 0; i < ROWS; i++) {
      const exps = Array.from(logits.subarray(i * COLUMNS, (i + 1) * COLUMNS), Math.exp);
      const all = exps.reduce((a, b) => a + b);
      exps.forEach((e, c) => {
        expect(gradient[i * COLUMNS + c]).toBeCloseTo(e / all - votes[i * COLUMNS + c]!, 5);
      });
    }
  });
});
