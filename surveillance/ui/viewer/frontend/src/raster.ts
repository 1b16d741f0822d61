/** Raster: a slice painted once, at one pixel a voxel, and drawn scaled as often as needed. */

import type { PictureData } from "./contract.ts";
import { greyTable, type Window } from "./grey.ts";
import type { Labels } from "./labels.ts";
import type { View } from "./linked.ts";
import { paintChange, paintGrey, paintMasks } from "./paint.ts";
import { stepsOf } from "./slice.ts";
import { type Voxels, voxelsOf } from "./voxels.ts";

/** Everything that decides a raster's pixels. */
export interface Ink {
  view: View;
  slice: number;
  window: Window;
  inverted: boolean;
  labels: Labels | null;
  /** Bits of the masks that are tinted. */
  tinted: number;
  opacity: number;
  /** The picture that is subtracted, null for plain grey. */
  subtracted: PictureData | null;
}

export class Raster {
  readonly canvas = document.createElement("canvas");
  private readonly context = this.canvas.getContext("2d", { alpha: false }) as CanvasRenderingContext2D;
  private image = new ImageData(1, 1);
  private pixels = new Uint32Array(this.image.data.buffer);
  private table: Uint32Array = new Uint32Array(65536);
  private tableKey = "";
  private key = "";

  /** Paint unless it is painted already; false when the voxels are not here yet. */
  paint(ink: Ink): boolean {
    const voxels = voxelsOf(ink.view.picture);
    const before = ink.subtracted && voxelsOf(ink.subtracted);
    if (!here(ink, voxels) || (before && !here(ink, before))) return false;
    const key = keyOf(ink);
    if (key === this.key) return true;
    this.key = key;
    const steps = stepsOf(ink.view.picture.shape, ink.view.plane, ink.slice);
    this.resize(steps.width, steps.height);
    paintGrey(voxels.data, steps, this.tableFor(ink), this.pixels);
    if (ink.subtracted && before) {
      const scaled = { voxels: before.data, scale: ink.subtracted };
      paintChange(scaled, { voxels: voxels.data, scale: ink.view.picture }, steps, this.pixels);
    }
    if (ink.labels && ink.tinted && ink.opacity > 0) {
      paintMasks(ink.labels.data, steps, ink.tinted, ink.opacity, this.pixels);
    }
    this.context.putImageData(this.image, 0, 0);
    return true;
  }

  private resize(width: number, height: number): void {
    if (this.image.width === width && this.image.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  private tableFor({ window, view, inverted }: Ink): Uint32Array {
    const { slope, intercept, unit } = view.picture;
    const key = [window.low, window.high, slope, intercept, unit, inverted].join();
    if (key !== this.tableKey) greyTable(window, view.picture, inverted, this.table);
    this.tableKey = key;
    return this.table;
  }
}

/** Whether a slice's voxels are here: one slab for an axial slice of an axial stack, else all. */
function here({ view, slice }: Ink, voxels: Voxels): boolean {
  return view.plane.onward.axis === 2 ? voxels.has(slice) : voxels.complete;
}

function keyOf(ink: Ink): string {
  const { view, window, labels } = ink;
  return [
    view.picture.id, view.plane.name, ink.slice, window.low, window.high, ink.inverted,
    ink.tinted && ink.opacity ? labels?.version : "", ink.tinted, ink.opacity, ink.subtracted?.id,
  ].join();
}
