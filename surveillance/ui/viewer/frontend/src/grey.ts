/** Grey: from voxel to pixel through a table of all 65,536 voxel values. */

/** Black at `low`, white at `high`, in units of reference muscle. */
export interface Window {
  low: number;
  high: number;
}

export interface Scale {
  slope: number;
  intercept: number;
  unit: number;
}

/** The voxel value that stands for "not imaged". */
export const OUTSIDE = -32768;
const NARROWEST = 0.01;

/** RGBA (little-endian) of each voxel value + 32768. */
export function greyTable(window: Window, scale: Scale, inverted: boolean, into?: Uint32Array): Uint32Array {
  const table = into ?? new Uint32Array(65536);
  const perVoxel = (255 * scale.slope) / scale.unit / (window.high - window.low);
  const start = (255 * (scale.intercept / scale.unit - window.low)) / (window.high - window.low);
  for (let v = -32767; v <= 32767; v++) {
    const grey = Math.round(Math.min(255, Math.max(0, start + perVoxel * v)));
    const shown = inverted ? 255 - grey : grey;
    table[v + 32768] = 0xff000000 | (shown << 16) | (shown << 8) | shown;
  }
  table[OUTSIDE + 32768] = 0xff000000;
  return table;
}

/** The window after a drag: to the right widens it, downward makes the image darker. */
export function dragged(window: Window, right: number, down: number): Window {
  const width = window.high - window.low;
  const newWidth = Math.max(NARROWEST, width * Math.exp(right / 250));
  const level = (window.low + window.high) / 2 + (down * width) / 400;
  return { low: level - newWidth / 2, high: level + newWidth / 2 };
}

/** Intensity of a voxel value; null where nothing was imaged. */
export function intensity(voxel: number, scale: Scale): number | null {
  return voxel === OUTSIDE ? null : voxel * scale.slope + scale.intercept;
}
