/** The example trains, on every device, and leaves nothing behind. */
import { expect, it } from 'vitest';
import { logisticRegression } from '../../examples/logistic-regression.js';
import { describeOnAll } from '../support/devices.js';

describeOnAll('logistic regression', (device) => {
  it('separates the clouds', async () => {
    const { losses, weight } = await logisticRegression(device());
    expect(losses[0]).toBeCloseTo(Math.log(2), 5);
    expect(losses.at(-1)).toBeLessThan(0.1);
    // Class 1 lies up and to the right.
    expect(weight[2]! - weight[0]!).toBeGreaterThan(0.5);
    expect(weight[3]! - weight[1]!).toBeGreaterThan(0.5);
  });
});
