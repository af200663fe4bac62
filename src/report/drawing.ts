/** A drawing and its natural size in CSS pixels. Apart from what draws it, so that the package's declarations do not bring ECharts' own. */
export interface Drawing {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** The width at which a chart fits a phone; a page may show it larger. */
export const CHART_WIDTH = 360;
