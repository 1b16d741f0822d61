/** Slice: one plane of a volume, laid as the screen shows it. */

import type { Vec3 } from "./contract.ts";
import type { Plane } from "./plane.ts";

/** Steps through a volume's array (i fastest) that read a slice from top left, row by row. */
export interface Steps {
  start: number;
  right: number;
  down: number;
  width: number;
  height: number;
}

export function stepsOf(shape: Vec3, plane: Plane, slice: number): Steps {
  const stride = [1, shape[0], shape[0] * shape[1]];
  const { right, down, onward } = plane;
  const first = (axis: { sign: 1 | -1; count: number; axis: number }): number =>
    axis.sign > 0 ? 0 : (axis.count - 1) * stride[axis.axis];
  return {
    start: slice * stride[onward.axis] + first(right) + first(down),
    right: right.sign * stride[right.axis],
    down: down.sign * stride[down.axis],
    width: right.count,
    height: down.count,
  };
}

/** Call `visit(offset in the volume, offset in the slice)` for each pixel. */
export function copySlice<A extends Int16Array | Uint8Array>(volume: A, steps: Steps, into: A): void {
  const { start, right, down, width, height } = steps;
  let at = 0;
  for (let row = 0; row < height; row++) {
    let from = start + row * down;
    for (let column = 0; column < width; column++, from += right) into[at++] = volume[from];
  }
}

/** Voxel index of a slice's pixel (fractions allowed). */
export function indexOf(plane: Plane, slice: number, x: number, y: number): Vec3 {
  const index: Vec3 = [0, 0, 0];
  const { right, down, onward } = plane;
  index[onward.axis] = slice;
  index[right.axis] = right.sign > 0 ? x : right.count - 1 - x;
  index[down.axis] = down.sign > 0 ? y : down.count - 1 - y;
  return index;
}

/** Pixel of a voxel index (fractions allowed); the inverse of `indexOf`. */
export function pixelOf(plane: Plane, index: Vec3): { x: number; y: number; slice: number } {
  const { right, down, onward } = plane;
  const along = ({ axis, sign, count }: Plane["right"]): number =>
    sign > 0 ? index[axis] : count - 1 - index[axis];
  return { x: along(right), y: along(down), slice: index[onward.axis] };
}
