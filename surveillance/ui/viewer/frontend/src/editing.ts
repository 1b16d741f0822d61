/** Editing: what brush, fill, interpolation and smoothing do to the mask of a slice or of all. */

import type { LayerName } from "./contract.ts";
import { type Spot, stroke } from "./brush.ts";
import type { View } from "./linked.ts";
import type { PictureMasks } from "./masks.ts";
import { bitOf } from "./paint.ts";
import { between, enclosed, smoothed } from "./region.ts";
import { runsOf } from "./runs.ts";
import { copySlice, type Steps, stepsOf } from "./slice.ts";

/** One layer of one picture, seen in one plane. */
export class Editing {
  private readonly masks: PictureMasks;
  private readonly layer: LayerName;
  private readonly view: View;
  private readonly bit: number;

  constructor(masks: PictureMasks, layer: LayerName, view: View) {
    this.masks = masks;
    this.layer = layer;
    this.view = view;
    this.bit = bitOf(layer);
  }

  /** Start a stroke; move it, then end it, which makes it one step. */
  brush(slice: number, diameterMm: number, on: boolean): { move(from: Spot, to: Spot): void; end(): boolean } {
    const steps = this.steps(slice);
    const { labels } = this.masks;
    const { right, down } = this.view.plane;
    const raster = { width: steps.width, height: steps.height, spacingX: right.spacing, spacingY: down.spacing };
    const wanted = on ? this.bit : 0;
    const flipped: number[] = [];
    const cover = (x: number, y: number): void => {
      const at = voxel(steps, x, y);
      if ((labels.data[at] & this.bit) === wanted) return;
      labels.data[at] ^= this.bit;
      flipped.push(at);
    };
    return {
      move: (from, to) => {
        stroke(from, to, diameterMm, raster, cover);
        labels.version++;
      },
      end: () => {
        this.masks.record(this.layer, runsOf(flipped));
        return flipped.length > 0;
      },
    };
  }

  /** Fill the closed outline round a spot; false when it is not closed there. */
  fill(slice: number, spot: Spot): boolean {
    const steps = this.steps(slice);
    const [x, y] = [Math.round(spot.x), Math.round(spot.y)];
    if (x < 0 || y < 0 || x >= steps.width || y >= steps.height) return false;
    const pixels = enclosed(this.slice(slice), steps.width, steps.height, x, y);
    if (pixels === null) return false;
    this.masks.step(this.layer, pixels.map((n) => voxel(steps, n % steps.width, Math.floor(n / steps.width))));
    return true;
  }

  /** Draw the slices that lie empty between drawn ones; false when there are none. */
  interpolate(): boolean {
    const { right, down, onward } = this.view.plane;
    const slices = Array.from({ length: onward.count }, (_, n) => this.slice(n));
    const drawn = slices.flatMap((mask, n) => (mask.includes(1) ? [n] : []));
    const added: number[] = [];
    drawn.slice(1).forEach((after, n) => {
      const before = drawn[n];
      for (let k = before + 1; k < after; k++) {
        const part = (k - before) / (after - before);
        const mask = between(slices[before], slices[after], part, right.count, right.spacing, down.spacing);
        for (const n of this.voxels(k, mask, slices[k])) added.push(n);
      }
    });
    this.masks.step(this.layer, added);
    return added.length > 0;
  }

  /** Round off the outline in every slice; false when nothing changed. */
  smooth(): boolean {
    const { right, down, onward } = this.view.plane;
    const changed: number[] = [];
    for (let n = 0; n < onward.count; n++) {
      const mask = this.slice(n);
      if (!mask.includes(1)) continue;
      for (const v of this.voxels(n, smoothed(mask, right.count, down.count), mask)) changed.push(v);
    }
    this.masks.step(this.layer, changed);
    return changed.length > 0;
  }

  private steps(slice: number): Steps {
    return stepsOf(this.masks.labels.shape, this.view.plane, slice);
  }

  private slice(n: number): Uint8Array {
    const steps = this.steps(n);
    const mask = new Uint8Array(steps.width * steps.height);
    copySlice(this.masks.labels.data, steps, mask);
    return mask.map((label) => (label & this.bit ? 1 : 0));
  }

  /** Voxels in which two masks of a slice differ. */
  private voxels(slice: number, a: Uint8Array, b: Uint8Array): number[] {
    const steps = this.steps(slice);
    const found: number[] = [];
    a.forEach((on, n) => {
      if (on !== b[n]) found.push(voxel(steps, n % steps.width, Math.floor(n / steps.width)));
    });
    return found;
  }
}

function voxel(steps: Steps, x: number, y: number): number {
  return steps.start + x * steps.right + y * steps.down;
}
