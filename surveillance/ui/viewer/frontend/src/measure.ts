/** Measure: what a drawing on a picture says, shown while it is drawn. Python measures again. */

import type { AnnotationData, PictureData, Vec3 } from "./contract.ts";
import { intensity } from "./grey.ts";
import { clamp, distance, type Grid } from "./grid.ts";
import { pixelOf } from "./slice.ts";
import { planeOf } from "./plane.ts";

export interface Reading {
  lengthMm?: number;
  areaMm2?: number;
  /** Intensities; SD over n. */
  mean?: number;
  sd?: number;
  pixels?: number;
  /** Multiple of reference muscle. */
  ratio?: number;
  ratioSd?: number;
}

export function reading(drawing: AnnotationData, picture: PictureData, grid: Grid, voxels: Int16Array): Reading {
  const [first, second] = drawing.points;
  if (drawing.kind === "length") return { lengthMm: distance(first, second) };
  if (drawing.kind === "ellipse") return ellipse(drawing, picture, grid, voxels);
  return values([voxelAt(grid, voxels, first)], picture);
}

export function voxelAt(grid: Grid, voxels: Int16Array, point: Vec3): number {
  const [i, j, k] = grid.clamped(grid.toIndex(point)).map(Math.round);
  return voxels[i + grid.shape[0] * (j + grid.shape[1] * k)];
}

/** The ellipse in the slice's box with these corners; pixels count whose centres lie inside. */
function ellipse(drawing: AnnotationData, picture: PictureData, grid: Grid, voxels: Int16Array): Reading {
  const plane = planeOf(grid, drawing.plane);
  const [a, b] = drawing.points.map((p) => pixelOf(plane, grid.toIndex(p)));
  const centre = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  const radius = { x: Math.abs(a.x - b.x) / 2, y: Math.abs(a.y - b.y) / 2 };
  const stride = [1, grid.shape[0], grid.shape[0] * grid.shape[1]];
  const slice = clamp(Math.round(a.slice), 0, plane.onward.count - 1) * stride[plane.onward.axis];
  const place = (axis: typeof plane.right, n: number): number =>
    (axis.sign > 0 ? n : axis.count - 1 - n) * stride[axis.axis];
  const inside: number[] = [];
  for (let y = Math.ceil(centre.y - radius.y); y <= centre.y + radius.y; y++) {
    for (let x = Math.ceil(centre.x - radius.x); x <= centre.x + radius.x; x++) {
      if (x < 0 || y < 0 || x >= plane.right.count || y >= plane.down.count) continue;
      if (((x - centre.x) / radius.x) ** 2 + ((y - centre.y) / radius.y) ** 2 > 1) continue;
      inside.push(voxels[slice + place(plane.right, x) + place(plane.down, y)]);
    }
  }
  const areaMm2 = Math.PI * radius.x * plane.right.spacing * radius.y * plane.down.spacing;
  return { areaMm2, ...values(inside, picture) };
}

function values(voxels: number[], picture: PictureData): Reading {
  const seen = voxels.map((v) => intensity(v, picture)).filter((v) => v !== null);
  if (seen.length === 0) return { pixels: 0 };
  const mean = seen.reduce((sum, v) => sum + v, 0) / seen.length;
  const sd = Math.sqrt(seen.reduce((sum, v) => sum + (v - mean) ** 2, 0) / seen.length);
  const known = { mean, sd, pixels: seen.length };
  return picture.hasMuscle ? { ...known, ratio: mean / picture.unit, ratioSd: sd / picture.unit } : known;
}
