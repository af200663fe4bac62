/** A drawing and its natural size in CSS pixels. Apart from what draws it, so that the package's declarations do not bring ECharts' own. */
export interface Drawing {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** The width at which a chart fits a phone; a page may show it larger. */
export const CHART_WIDTH = 360;

/** From this strength of a shade on, a figure is written in the other colour; page/style.ts has hues that are as dark, or bright, there. */
export const STRONG_SHADE = 0.66;
