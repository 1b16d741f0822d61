/** Paint: the pixels of a slice, image and masks, and the colours of change. */

import type { LayerName } from "./contract.ts";
import { OUTSIDE, type Scale } from "./grey.ts";
import type { Steps } from "./slice.ts";

/** Okabe-Ito colours, told apart by colour-blind readers, as in docs/overlay.png. */
export const LAYER_COLOURS: Record<LayerName, readonly [number, number, number]> = {
  graft: [230, 159, 0],
  rectus_left: [86, 180, 233],
  rectus_right: [0, 158, 115],
};
export const LAYERS: readonly LayerName[] = ["graft", "rectus_left", "rectus_right"];

export function bitOf(layer: LayerName): number {
  return 1 << LAYERS.indexOf(layer);
}

/** Fill `pixels` with the grey values of a slice. */
export function paintGrey(voxels: Int16Array, steps: Steps, table: Uint32Array, pixels: Uint32Array): void {
  const { start, right, down, width, height } = steps;
  let at = 0;
  for (let row = 0; row < height; row++) {
    let from = start + row * down;
    for (let column = 0; column < width; column++, from += right) {
      pixels[at++] = table[voxels[from] + 32768];
    }
  }
}

/** Colour of each combination of masks: the graft lies above the muscles. */
function tints(shown: number, opacity: number): { red: number; green: number; blue: number }[] {
  return Array.from({ length: 1 << LAYERS.length }, (_, label) => {
    const seen = label & shown;
    const [red, green, blue] = LAYER_COLOURS[LAYERS[31 - Math.clz32(seen & -seen)] ?? "graft"];
    return { red: red * opacity, green: green * opacity, blue: blue * opacity };
  });
}

/** Tint the pixels whose label has a bit of `shown`. */
export function paintMasks(
  labels: Uint8Array, steps: Steps, shown: number, opacity: number, pixels: Uint32Array,
): void {
  const { start, right, down, width, height } = steps;
  const colours = tints(shown, opacity);
  const keep = 1 - opacity;
  let at = 0;
  for (let row = 0; row < height; row++) {
    let from = start + row * down;
    for (let column = 0; column < width; column++, at++, from += right) {
      const label = labels[from];
      if ((label & shown) === 0) continue;
      const { red, green, blue } = colours[label];
      const pixel = pixels[at];
      pixels[at] =
        0xff000000 |
        ((((pixel >> 16) & 255) * keep + blue) << 16) |
        ((((pixel >> 8) & 255) * keep + green) << 8) |
        ((pixel & 255) * keep + red);
    }
  }
}

export interface Compared {
  voxels: Int16Array;
  scale: Scale;
}

/** Change below this many muscles is not coloured; at `FULL_CHANGE` the colour is full. */
export const LEAST_CHANGE = 0.15;
export const FULL_CHANGE = 1;

/**
 * Colour where the ratio to muscle changed from `before` to `after`, both on one grid: orange for
 * brighter, blue for darker, which every kind of colour vision tells apart. A pixel's change is
 * the mean of 3 × 3, so that noise does not sparkle.
 */
export function paintChange(before: Compared, after: Compared, steps: Steps, pixels: Uint32Array): void {
  const { width, height } = steps;
  const change = changeOf(before, after, steps);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1, at = y * width + 1; x < width - 1; x++, at++) {
      let sum = change[at - 1] + change[at] + change[at + 1];
      sum += change[at - width - 1] + change[at - width] + change[at - width + 1];
      sum += change[at + width - 1] + change[at + width] + change[at + width + 1];
      const mean = sum / 9;
      if (mean >= LEAST_CHANGE) pixels[at] = mixed(pixels[at], ORANGE, strength(mean));
      else if (mean <= -LEAST_CHANGE) pixels[at] = mixed(pixels[at], BLUE, strength(mean));
    }
  }
}

/** Difference of ratios in a slice; NaN, which no colour has, where either was not imaged. */
function changeOf(before: Compared, after: Compared, steps: Steps): Float32Array {
  const { start, right, down, width, height } = steps;
  const [a, b] = [after.voxels, before.voxels];
  const slopeA = after.scale.slope / after.scale.unit;
  const slopeB = before.scale.slope / before.scale.unit;
  const offset = after.scale.intercept / after.scale.unit - before.scale.intercept / before.scale.unit;
  const change = new Float32Array(width * height);
  let at = 0;
  for (let row = 0; row < height; row++) {
    let from = start + row * down;
    for (let column = 0; column < width; column++, from += right) {
      const imaged = a[from] !== OUTSIDE && b[from] !== OUTSIDE;
      change[at++] = imaged ? a[from] * slopeA - b[from] * slopeB + offset : NaN;
    }
  }
  return change;
}

const ORANGE = [255, 140, 0] as const;
const BLUE = [40, 130, 255] as const;

export function strength(change: number): number {
  const part = (Math.abs(change) - LEAST_CHANGE) / (FULL_CHANGE - LEAST_CHANGE);
  return 0.2 + 0.6 * Math.min(1, Math.max(0, part));
}

/** The colour of a change over black: what the scale beside the picture shows. */
export function changeColour(change: number): string {
  if (Math.abs(change) < LEAST_CHANGE) return "rgb(0,0,0)";
  const pixel = mixed(0xff000000, change > 0 ? ORANGE : BLUE, strength(change));
  return `rgb(${pixel & 255},${(pixel >> 8) & 255},${(pixel >> 16) & 255})`;
}

function mixed(pixel: number, colour: readonly [number, number, number], part: number): number {
  const channel = (shift: number, value: number): number =>
    (((pixel >> shift) & 255) * (1 - part) + value * part) << shift;
  return 0xff000000 | channel(16, colour[2]) | channel(8, colour[1]) | channel(0, colour[0]);
}
