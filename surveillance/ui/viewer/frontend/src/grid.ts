/** A grid of voxels in the patient: LPS millimetres, as imaging/geometry.py has them. */

import type { PictureData, Vec3 } from "./contract.ts";

type Matrix = readonly number[];

export class Grid {
  readonly shape: Vec3;
  readonly spacing: Vec3;
  private readonly matrix: Matrix;
  private readonly inverse: Matrix;

  constructor(shape: Vec3, affine: Matrix) {
    this.shape = shape;
    this.matrix = affine;
    this.inverse = inverted(affine);
    this.spacing = [0, 1, 2].map((axis) => length(this.column(axis))) as Vec3;
  }

  /** Where one step along a voxel axis leads, in mm. */
  column(axis: number): Vec3 {
    return [this.matrix[axis], this.matrix[4 + axis], this.matrix[8 + axis]];
  }

  /** Unit vector of a voxel axis. */
  direction(axis: number): Vec3 {
    return this.column(axis).map((c) => c / this.spacing[axis]) as Vec3;
  }

  toWorld(index: Vec3): Vec3 {
    return applied(this.matrix, index);
  }

  toIndex(point: Vec3): Vec3 {
    return applied(this.inverse, point);
  }

  /** The nearest index inside the grid. */
  clamped(index: Vec3): Vec3 {
    return index.map((value, axis) => clamp(value, 0, this.shape[axis] - 1)) as Vec3;
  }

  get centre(): Vec3 {
    return this.toWorld(this.shape.map((n) => (n - 1) / 2) as Vec3);
  }

  /**
   * The voxel axis closest to an LPS axis and the sign of its run (+1 toward L, P, S). Each voxel
   * axis answers for one LPS axis only, so an oblique grid has three different answers.
   */
  axisToward(lps: number): { axis: number; sign: 1 | -1 } {
    const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    const score = (order: number[]): number =>
      order.reduce((sum, axis, world) => sum + Math.abs(this.direction(axis)[world]), 0);
    const best = orders.reduce((a, b) => (score(b) > score(a) ? b : a));
    const axis = best[lps];
    return { axis, sign: this.direction(axis)[lps] >= 0 ? 1 : -1 };
  }
}

/** The picture's grid in its own LPS. */
export function gridOf(picture: PictureData): Grid {
  return new Grid(picture.shape, picture.affine);
}

/** The picture's grid in the space it shares with linked pictures. */
export function linkedGridOf(picture: PictureData): Grid {
  return new Grid(picture.shape, picture.spaceFromIndex);
}

export function sameGrid(a: Grid, b: Grid): boolean {
  const far = (index: Vec3): number => distance(a.toWorld(index), b.toWorld(index));
  const end = a.shape.map((n) => n - 1) as Vec3;
  const ends: Vec3[] = [[0, 0, 0], [end[0], 0, 0], [0, end[1], 0], [0, 0, end[2]]];
  return a.shape.every((n, axis) => n === b.shape[axis]) && ends.every((e) => far(e) < 1e-3);
}

export function distance(a: Vec3, b: Vec3): number {
  return length([a[0] - b[0], a[1] - b[1], a[2] - b[2]]);
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function length(v: Vec3): number {
  return Math.hypot(v[0], v[1], v[2]);
}

function applied(m: Matrix, p: Vec3): Vec3 {
  const row = (r: number): number =>
    m[4 * r] * p[0] + m[4 * r + 1] * p[1] + m[4 * r + 2] * p[2] + m[4 * r + 3];
  return [row(0), row(1), row(2)];
}

/** The inverse of an affine matrix, by cofactors. */
function inverted(m: Matrix): Matrix {
  const [a, b, c, x, d, e, f, y, g, h, i, z] = m;
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const r = [
    e * i - f * h, c * h - b * i, b * f - c * e,
    f * g - d * i, a * i - c * g, c * d - a * f,
    d * h - e * g, b * g - a * h, a * e - b * d,
  ].map((value) => value / det);
  const shift = (k: number): number => -(r[k] * x + r[k + 1] * y + r[k + 2] * z);
  return [
    r[0], r[1], r[2], shift(0), r[3], r[4], r[5], shift(3), r[6], r[7], r[8], shift(6),
    0, 0, 0, 1,
  ];
}
