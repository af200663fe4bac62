/**
 * Classes that a table or a drawing shows, and that the engine sends details of: prompts may have any number, and a page stands still over
 * tens of thousands of rows.
 */
export const MOST_SHOWN = 100;

/** Rows of a heat map: a hundred rows of ten cells took two seconds, in which the page answered nothing. */
export const MOST_DRAWN = 24;

/** Which classes to show, by place: all in their order, or the most probable if they are too many. */
export function placesShown(probabilities: ArrayLike<number>, most = MOST_SHOWN): number[] {
  const places = Array.from(probabilities, (_, place) => place);
  if (places.length <= most) return places;
  return places.sort((a, b) => probabilities[b]! - probabilities[a]!).slice(0, most);
}
