/** Layer norm and its gradient, a block of rows a task; formulas as in the twin. */
import { takeTask } from './job';
import { LayerNormJob } from './layout.generated';
import { loadLanes, madd, storeLanes, sumLanes } from './simd';

/** Takes part in a layer norm until no task is left. */
export function layerNorm(job: LayerNormJob): void {
  const columns = job.columns;
  const bytes = <usize>columns << 2;
  for (;;) {
    const from = takeTask(job) * job.taskRows;
    if (from >= job.rows) return;
    const to = min(from + job.taskRows, job.rows);
    for (let row = from; row < to; row++) {
      const x = job.x + <usize>row * bytes;
      const mean = sum(x, columns) / <f32>columns;
      const rstd: f32 = <f32>1 / sqrt<f32>(squares(x, columns, mean) / <f32>columns + job.epsilon);
      const out = job.out + <usize>row * bytes;
      for (let c = 0; c < columns; c += 4) {
        const at = <usize>c << 2;
        const lanes = columns - c;
        const hat = f32x4.mul(f32x4.sub(loadLanes(x + at, lanes), f32x4.splat(mean)), f32x4.splat(rstd));
        storeLanes(out + at, madd(hat, loadLanes(job.weight + at, lanes), loadLanes(job.bias + at, lanes)), lanes);
      }
      if (job.statistics) {
        store<f32>(job.statistics + (<usize>row << 3), mean);
        store<f32>(job.statistics + (<usize>row << 3), rstd, 4);
      }
    }
  }
}

/** Takes part in the gradient of a layer norm until no task is left. */
export function layerNormGrad(job: LayerNormJob): void {
  const columns = job.columns;
  const bytes = <usize>columns << 2;
  for (;;) {
    const from = takeTask(job) * job.taskRows;
    if (from >= job.rows) return;
    const to = min(from + job.taskRows, job.rows);
    for (let row = from; row < to; row++) {
      const x = job.x + <usize>row * bytes;
      const gradOut = job.gradOut + <usize>row * bytes;
      const mean = f32x4.splat(load<f32>(job.statistics + (<usize>row << 3)));
      const rstd = f32x4.splat(load<f32>(job.statistics + (<usize>row << 3), 4));
      let sums = f32x4.splat(0);
      let hatSums = f32x4.splat(0);
      for (let c = 0; c < columns; c += 4) {
        const at = <usize>c << 2;
        const lanes = columns - c;
        const g = f32x4.mul(loadLanes(gradOut + at, lanes), loadLanes(job.weight + at, lanes));
        sums = f32x4.add(sums, g);
        // Lanes past the end have g = 0.
        hatSums = madd(g, f32x4.mul(f32x4.sub(loadLanes(x + at, lanes), mean), rstd), hatSums);
      }
      const meanG = f32x4.splat(sumLanes(sums) / <f32>columns);
      const meanHat = f32x4.splat(sumLanes(hatSums) / <f32>columns);
      const out = job.out + <usize>row * bytes;
      const addend = job.addend ? job.addend + <usize>row * bytes : 0;
      for (let c = 0; c < columns; c += 4) {
        const at = <usize>c << 2;
        const lanes = columns - c;
        const hat = f32x4.mul(f32x4.sub(loadLanes(x + at, lanes), mean), rstd);
        const g = f32x4.mul(loadLanes(gradOut + at, lanes), loadLanes(job.weight + at, lanes));
        let v = f32x4.mul(rstd, f32x4.sub(f32x4.sub(g, meanG), f32x4.mul(hat, meanHat)));
        if (addend) v = f32x4.add(v, loadLanes(addend + at, lanes));
        storeLanes(out + at, v, lanes);
      }
    }
  }
}

function sum(at: usize, count: i32): f32 {
  let sums = f32x4.splat(0);
  for (let c = 0; c < count; c += 4) sums = f32x4.add(sums, loadLanes(at + (<usize>c << 2), count - c));
  return sumLanes(sums);
}

/** Sum of squared distances from `mean`. */
function squares(at: usize, count: i32, mean: f32): f32 {
  let sums = f32x4.splat(0);
  const whole = count & -4;
  for (let c = 0; c < whole; c += 4) {
    const d = f32x4.sub(v128.load(at + (<usize>c << 2)), f32x4.splat(mean));
    sums = madd(d, d, sums);
  }
  let total = sumLanes(sums);
  for (let c = whole; c < count; c++) {
    const d = load<f32>(at + (<usize>c << 2)) - mean;
    total += d * d;
  }
  return total;
}
