/**
 * The left operand of a convolution: row i is what the i-th window sees of images [images, height, width, channels], row of the window after
 * row. It is never stored. Panels are packed from the images themselves, run by run of neighbouring numbers; where a window lies over
 * an edge, a run of zeros takes the place of what it does not see.
 */
import { MatmulJob, PANEL_COLUMN, TILE_ROWS } from './layout.generated';
import { packRuns } from './pack';

/** Where a window lies: the address of its first number (of what it would be outside the image), and its row and column in the image. */
// @ts-ignore: decorator
@unmanaged
class Window {
  at: usize;
  y: i32;
  x: i32;
}

/** Packs columns [from, from + depth) of rows [row, rowEnd), in panels one after another. */
export function packWindows(job: MatmulJob, scratch: usize, row: i32, rowEnd: i32, from: i32, depth: i32, to: usize): void {
  const windows = scratch + job.windowsAt;
  const zeros = scratch + job.zerosAt;
  memory.fill(zeros, 0, <usize>depth << 2);
  for (let i = row; i < rowEnd; i += TILE_ROWS) {
    const whole = placeWindows(job, i, rowEnd, windows);
    packPanel(job, windows, zeros, whole, from, depth, to);
    to += <usize>depth * PANEL_COLUMN;
  }
}

/** Notes where the windows of a panel lie; true if none reaches over the left or right edge. Rows past the end see nothing. */
function placeWindows(job: MatmulJob, row: i32, rowEnd: i32, windows: usize): bool {
  const across = job.windowRun / job.channels;
  const perImage = job.outHeight * job.outWidth;
  let whole = true;
  for (let i = 0; i < TILE_ROWS; i++) {
    const window = changetype<Window>(windows + <usize>i * offsetof<Window>());
    const number = row + i;
    if (number >= rowEnd) {
      window.at = 0;
      window.y = -(1 << 30);
      window.x = 0;
      continue;
    }
    const image = number / perImage;
    const within = number - image * perImage;
    const outY = within / job.outWidth;
    const y = outY * job.stride - job.padding;
    const x = (within - outY * job.outWidth) * job.stride - job.padding;
    // Wraps around where the window begins outside of the image; only sums that lie in it are read.
    const pixel = <usize>image * <usize>job.height * <usize>job.width + <usize>y * <usize>job.width + <usize>x;
    window.at = job.a + ((pixel * <usize>job.channels) << 2);
    window.y = y;
    window.x = x;
    if (x < 0 || x + across > job.width) whole = false;
  }
  return whole;
}

function packPanel(job: MatmulJob, windows: usize, zeros: usize, whole: bool, from: i32, depth: i32, to: usize): void {
  const run = job.windowRun;
  const pitch = <usize>(job.width * job.channels) << 2;
  const end = from + depth;
  while (from < end) {
    const y = from / run;
    const within = from - y * run;
    const x = within / job.channels;
    // To the end of the window's row, or only to that of the pixel where the next one may lie outside.
    const length = min((whole ? run : (x + 1) * job.channels) - within, end - from);
    const offset = <usize>y * pitch + (<usize>within << 2);
    packRuns(
      seen(job, windows, 0, y, x, offset, zeros),
      seen(job, windows, 1, y, x, offset, zeros),
      seen(job, windows, 2, y, x, offset, zeros),
      seen(job, windows, 3, y, x, offset, zeros),
      seen(job, windows, 4, y, x, offset, zeros),
      TILE_ROWS > 5 ? seen(job, windows, 5, y, x, offset, zeros) : zeros,
      length,
      to,
    );
    from += length;
    to += <usize>length * PANEL_COLUMN;
  }
}

/** Where the i-th window's numbers at (y, x) of the window stand: `offset` from its first one, or the zeros. */
// @ts-ignore: decorator
@inline
function seen(job: MatmulJob, windows: usize, i: i32, y: i32, x: i32, offset: usize, zeros: usize): usize {
  const window = changetype<Window>(windows + <usize>i * offsetof<Window>());
  // As unsigned numbers, those before the edge are past the end.
  return <u32>(window.y + y) < <u32>job.height && <u32>(window.x + x) < <u32>job.width ? window.at + offset : zeros;
}
