/** Pooling of images that lie as rows of channels: a row of results a task, four channels at a time; formulas as in the twins. */
import { takeTask } from './job';
import { PoolJob } from './layout.generated';
import { loadLanes, storeLanes } from './simd';

/** Takes part in a max pooling until no task is left. */
export function maxPool(job: PoolJob): void {
  for (;;) {
    const row = takeTask(job);
    if (row >= job.images * job.outHeight) return;
    const top = (row % job.outHeight) * job.stride - job.padding;
    for (let column = 0; column < job.outWidth; column++) {
      const left = column * job.stride - job.padding;
      poolCell(job, true, row, column, max(0, top), min(job.height, top + job.window), max(0, left), min(job.width, left + job.window));
    }
  }
}

/** Takes part in an average pooling until no task is left. */
export function averagePool(job: PoolJob): void {
  for (;;) {
    const row = takeTask(job);
    if (row >= job.images * job.outHeight) return;
    const i = row % job.outHeight;
    const top = (i * job.height) / job.outHeight;
    const bottom = ((i + 1) * job.height + job.outHeight - 1) / job.outHeight;
    for (let column = 0; column < job.outWidth; column++) {
      const left = (column * job.width) / job.outWidth;
      const right = ((column + 1) * job.width + job.outWidth - 1) / job.outWidth;
      poolCell(job, false, row, column, top, bottom, left, right);
    }
  }
}

/** Result `column` of a row of results, from rows [top, bottom) and columns [left, right) of its image. */
// @ts-ignore: decorator
@inline
function poolCell(job: PoolJob, largest: bool, row: i32, column: i32, top: i32, bottom: i32, left: i32, right: i32): void {
  const pixel = <usize>job.channels << 2;
  const pitch = <usize>job.width * pixel;
  const first = job.x + <usize>((row / job.outHeight) * job.height + top) * pitch + <usize>left * pixel;
  const out = job.out + (<usize>row * <usize>job.outWidth + <usize>column) * pixel;
  const count = f32x4.splat(<f32>((bottom - top) * (right - left)));
  for (let c = 0; c < job.channels; c += 4) {
    const lanes = job.channels - c;
    let v = f32x4.splat(largest ? -Infinity : 0);
    let line = first + (<usize>c << 2);
    for (let y = top; y < bottom; y++) {
      let at = line;
      for (let x = left; x < right; x++) {
        const seen = loadLanes(at, lanes);
        v = largest ? f32x4.max(v, seen) : f32x4.add(v, seen);
        at += pixel;
      }
      line += pitch;
    }
    storeLanes(out + (<usize>c << 2), largest ? v : f32x4.div(v, count), lanes);
  }
}
