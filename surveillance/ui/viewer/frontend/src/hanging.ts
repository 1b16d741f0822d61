/** Hanging: which picture goes into which pane. */

import type { PictureData, ViewerData } from "./contract.ts";
import { linkedGridOf, sameGrid } from "./grid.ts";

export type Layout = "one" | "two" | "change" | "four" | "fade";

/** What a pane shows: one picture, or one over another on the same grid. */
export interface Content {
  picture: PictureData;
  /** Drawn below (fade) or subtracted (change). */
  before: PictureData | null;
}

/** What the reader chose to look at. */
export interface Choice {
  layout: Layout;
  visit: string;
  series: string;
}

export function seriesOf(data: ViewerData): string[] {
  return [...new Set(data.pictures.map((picture) => picture.series))];
}

export function visitsOf(data: ViewerData): string[] {
  return [...new Set(data.pictures.map((picture) => picture.visit))];
}

/** The picture of a visit and series: as acquired, or for comparing in registered space. */
export function pictureOf(data: ViewerData, visit: string, series: string, native: boolean): PictureData | null {
  const found = data.pictures.filter((p) => p.visit === visit && p.series === series);
  return found.find((p) => p.native === native) ?? found[0] ?? null;
}

/** Contents of the panes, in reading order; null leaves a pane empty. */
export function contentsOf(data: ViewerData, choice: Choice): (Content | null)[] {
  const alone = (visit: string, series: string, native = false): Content | null => {
    const picture = pictureOf(data, visit, series, native);
    return picture && { picture, before: null };
  };
  const other = data.comparedWith ?? choice.visit;
  switch (choice.layout) {
    case "one":
      return [alone(choice.visit, choice.series, true)];
    case "two":
      return [alone(other, choice.series), alone(choice.visit, choice.series)];
    case "four":
      return fourSeries(data, choice).flatMap((series) => [alone(other, series), alone(choice.visit, series)]);
    case "fade":
    case "change":
      return [over(alone(choice.visit, choice.series), alone(other, choice.series))];
  }
}

/** The chosen series first, then the one after it. */
function fourSeries(data: ViewerData, choice: Choice): string[] {
  const all = seriesOf(data);
  const pair = all.slice(0, 2);
  return pair.includes(choice.series) ? pair : [choice.series, all[0]];
}

function over(after: Content | null, before: Content | null): Content | null {
  if (!after || !before) return after ?? before;
  const together = sameGrid(linkedGridOf(after.picture), linkedGridOf(before.picture));
  const linked = after.picture.space === before.picture.space;
  return { picture: after.picture, before: together && linked ? before.picture : null };
}
