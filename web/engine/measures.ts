/**
 * What the engine does, as measures of the browser's own (User Timing): its tools show them beside the rest when they record. A measure is cleared
 * once it is there, which recordings and observers do not mind, so that a page open for days keeps none.
 */
import { listenToSpans } from '../../src/trace.js';

/** Makes a measure of every span from now on. */
export function measureSpans(): void {
  listenToSpans({
    end: ({ work, details, begin, end }) => {
      performance.measure(work, { start: begin, end, detail: details });
      performance.clearMeasures(work);
    },
  });
}
