/** How the series of a chart are told apart. */

/** A series by its colour, and by a dash and a mark for those who do not see the colour or print without it. page/style.ts draws the same in keys. */
export type SeriesColor = 'first' | 'second' | 'third' | 'muted';

export const SERIES = {
  first: { dash: 'solid', mark: 'circle' },
  second: { dash: [6, 3], mark: 'rect' },
  third: { dash: [2, 3], mark: 'triangle' },
  muted: { dash: [9, 3, 2, 3], mark: 'diamond' },
} as const;

/** In the order in which series of one chart take them. */
export const SERIES_COLORS = ['first', 'second', 'third', 'muted'] as const;

/** Lines that a chart can tell apart. */
export const MOST_SERIES = SERIES_COLORS.length;
