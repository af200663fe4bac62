/**
 * The reports' charts, loaded when the first is shown: ECharts is a third of the page's code. A page with a strict policy takes no style from
 * markup, so what ECharts writes as styles becomes attributes.
 */
import type { Drawing } from '../../src/report/drawing.js';

export { type HeatMap, heatMap } from '../../src/report/charts/heat-map.js';
export { type LineChart, lineChart } from '../../src/report/charts/lines.js';

/** `style="font-size:11px;"` as `font-size="11px"`. Data is escaped in the drawing, so it cannot look like markup. */
export function withoutStyles({ svg }: Drawing): string {
  return svg.replace(/ style="([^"]*)"/g, (_, style: string) =>
    style
      .split(';')
      .filter((declaration) => declaration.trim() !== '')
      .map((declaration) => {
        const colon = declaration.indexOf(':');
        return ` ${declaration.slice(0, colon).trim()}="${declaration.slice(colon + 1).trim()}"`;
      })
      .join(''),
  );
}
