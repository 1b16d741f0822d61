/** Linked: where the pictures of one space are looked at, in the millimetres they share. */

import type { PictureData, PlaneName, Vec3 } from "./contract.ts";
import { clamp, type Grid, gridOf, linkedGridOf } from "./grid.ts";
import { edgeLetters, type Letters, type Plane, planeOf } from "./plane.ts";
import { indexOf, pixelOf } from "./slice.ts";

export interface Gaze {
  /** The crosshair, mm. */
  cursor: Vec3;
  /** What lies in the middle of the screen, mm; null shows the whole image. */
  centre: Vec3 | null;
  /** 1 fits the image into its pane. */
  zoom: number;
}

/** A picture in a plane, as its gaze finds it. */
export class View {
  readonly picture: PictureData;
  /** The picture in its own LPS: letters, planes, drawings. */
  readonly grid: Grid;
  readonly plane: Plane;
  readonly letters: Letters;
  private readonly linked: Grid;

  constructor(picture: PictureData, plane: PlaneName) {
    this.picture = picture;
    this.grid = gridOf(picture);
    this.plane = planeOf(this.grid, plane);
    this.letters = edgeLetters(this.grid, this.plane);
    this.linked = linkedGridOf(picture);
  }

  /** Pixel and slice (fractions) of a shared point. */
  pixel(shared: Vec3): { x: number; y: number; slice: number } {
    return pixelOf(this.plane, this.linked.toIndex(shared));
  }

  /** Shared point of a point of the picture's own LPS. */
  shared(point: Vec3): Vec3 {
    return this.linked.toWorld(this.grid.toIndex(point));
  }

  /** Shared point of a pixel. */
  sharedAt(slice: number, x: number, y: number): Vec3 {
    return this.linked.toWorld(indexOf(this.plane, slice, x, y));
  }

  /** LPS of a pixel, moved into the image when it lies beside it. */
  pointAt(slice: number, x: number, y: number): Vec3 {
    return this.grid.toWorld(this.grid.clamped(indexOf(this.plane, slice, x, y)));
  }

  /** Slice the gaze rests on; null when it rests beside the image. */
  slice(gaze: Gaze): number | null {
    const nearest = Math.round(this.pixel(gaze.cursor).slice) + 0; // −0 is 0
    return nearest < 0 || nearest >= this.plane.onward.count ? null : nearest;
  }

  /** The gaze `steps` slices onward (down the body, backward, or to the left), never off the end. */
  scrolled(gaze: Gaze, steps: number): Gaze {
    const { x, y, slice } = this.pixel(gaze.cursor);
    const { sign, count } = this.plane.onward;
    const next = clamp(Math.round(slice) + steps * sign, 0, count - 1);
    return { ...gaze, cursor: this.sharedAt(next, x, y) };
  }

  /** Pixel (fractions) in the middle of the pane. */
  middle(gaze: Gaze): { x: number; y: number } {
    if (gaze.centre) return this.pixel(gaze.centre);
    return { x: (this.plane.right.count - 1) / 2, y: (this.plane.down.count - 1) / 2 };
  }
}

/** The gazes of all spaces; unlinked, each picture has its own. */
export class Gazes {
  linked = true;
  private readonly gazes = new Map<string, Gaze>();

  of(picture: PictureData, start: () => Vec3): Gaze {
    const name = this.name(picture);
    const known = this.gazes.get(name) ?? this.gazes.get(picture.space);
    if (known) return known;
    const gaze: Gaze = { cursor: start(), centre: null, zoom: 1 };
    this.gazes.set(picture.space, gaze);
    return gaze;
  }

  set(picture: PictureData, gaze: Gaze): void {
    this.gazes.set(this.name(picture), gaze);
  }

  /** Link or part; linking takes `picture`'s gaze for its whole space. */
  toggle(picture: PictureData, gaze: Gaze): void {
    this.linked = !this.linked;
    for (const name of this.gazes.keys()) if (name.includes("\n")) this.gazes.delete(name);
    this.gazes.set(picture.space, gaze);
  }

  private name(picture: PictureData): string {
    return this.linked ? picture.space : `${picture.space}\n${picture.key}`;
  }
}
