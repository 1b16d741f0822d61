/** Readout: what lies under the pointer, in the patient's millimetres and multiples of muscle. */

import { intensity } from "./grey.ts";
import type { Scene, Spot } from "./pane.ts";
import { indexOf } from "./slice.ts";
import { voxelsOf } from "./voxels.ts";

/** "L 34.1  A 71.0  H 12.5 mm   412  ×1.94"; nothing beside the image. */
export function readout(scene: Scene, spot: Spot): string {
  const { view, slice } = scene;
  const { plane, picture } = view;
  const [column, row] = [Math.round(spot.x), Math.round(spot.y)];
  const beside = column < 0 || row < 0 || column >= plane.right.count || row >= plane.down.count;
  if (slice === null || beside) return "";
  const [x, y, z] = view.pointAt(slice, spot.x, spot.y);
  const place = `${side(x, "L", "R")}  ${side(y, "P", "A")}  ${side(z, "H", "F")} mm`;
  const [i, j, k] = indexOf(plane, slice, column, row);
  const voxel = voxelsOf(picture).data[i + picture.shape[0] * (j + picture.shape[1] * k)];
  const value = intensity(voxel, picture);
  if (value === null) return `${place}   –`;
  const ratio = picture.hasMuscle ? `  ×${(value / picture.unit).toFixed(2)}` : "";
  return `${place}   ${value.toFixed(0)}${ratio}`;
}

function side(value: number, plus: string, minus: string): string {
  return `${value >= 0 ? plus : minus} ${Math.abs(value).toFixed(1)}`;
}
