/** Region: acts on a slice of a mask (1 inside, 0 outside), row by row. */

/** The pixels enclosed round (x, y), to be filled; null when the outline there is not closed. */
export function enclosed(mask: Uint8Array, width: number, height: number, x: number, y: number): number[] | null {
  const start = y * width + x;
  if (mask[start]) return [];
  const seen = new Uint8Array(mask.length);
  const queue = [start];
  seen[start] = 1;
  for (const at of queue) {
    const column = at % width;
    const row = (at - column) / width;
    if (column === 0 || row === 0 || column === width - 1 || row === height - 1) return null;
    for (const next of [at - 1, at + 1, at - width, at + width]) {
      if (mask[next] || seen[next]) continue;
      seen[next] = 1;
      queue.push(next);
    }
  }
  return queue;
}

/** The mask rounded by a binomial filter of five pixels each way and cut at one half. */
export function smoothed(mask: Uint8Array, width: number, height: number): Uint8Array {
  const weights = [1, 4, 6, 4, 1];
  const sums = new Uint16Array(mask.length);
  const result = new Uint8Array(mask.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let d = -2; d <= 2; d++) {
        if (x + d >= 0 && x + d < width) sum += weights[d + 2] * mask[y * width + x + d];
      }
      sums[y * width + x] = sum;
    }
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let d = -2; d <= 2; d++) {
        if (y + d >= 0 && y + d < height) sum += weights[d + 2] * sums[(y + d) * width + x];
      }
      result[y * width + x] = sum >= 128 ? 1 : 0;
    }
  }
  return result;
}

/**
 * The outline between two drawn slices (shape-based interpolation: Raya and Udupa, IEEE TMI 1990):
 * inside where the signed distances to both outlines, weighted by nearness, sum to inside.
 */
export function between(
  before: Uint8Array, after: Uint8Array, part: number, width: number, spacingX: number, spacingY: number,
): Uint8Array {
  const a = signedDistance(before, width, spacingX, spacingY);
  const b = signedDistance(after, width, spacingX, spacingY);
  return Uint8Array.from(a, (distance, n) => (distance * (1 - part) + b[n] * part < 0 ? 1 : 0));
}

/** Distance to the outline in mm, negative inside; the outline runs between pixels. */
export function signedDistance(mask: Uint8Array, width: number, spacingX: number, spacingY: number): Float64Array {
  const height = mask.length / width;
  const outside = squaredDistance(mask, 1, width, height, spacingX, spacingY);
  const inside = squaredDistance(mask, 0, width, height, spacingX, spacingY);
  const half = Math.min(spacingX, spacingY) / 2;
  return Float64Array.from(mask, (on, n) =>
    on ? half - Math.sqrt(inside[n]) : Math.sqrt(outside[n]) - half,
  );
}

/** Squared distance to the nearest pixel of a value (Felzenszwalb and Huttenlocher, 2012). */
function squaredDistance(
  mask: Uint8Array, value: number, width: number, height: number, spacingX: number, spacingY: number,
): Float64Array {
  const distance = Float64Array.from(mask, (m) => (m === value ? 0 : 1e12));
  for (let x = 0; x < width; x++) lowerEnvelope(distance, x, width, height, spacingY);
  for (let y = 0; y < height; y++) lowerEnvelope(distance, y * width, 1, width, spacingX);
  return distance;
}

/** One line of the distance transform, in place. */
function lowerEnvelope(f: Float64Array, start: number, step: number, count: number, spacing: number): void {
  const value = Float64Array.from({ length: count }, (_, n) => f[start + n * step]);
  const at = new Int32Array(count);
  const border = new Float64Array(count + 1);
  const meet = (p: number, q: number): number =>
    (value[q] / spacing ** 2 + q * q - value[p] / spacing ** 2 - p * p) / (2 * (q - p));
  let last = 0;
  border[0] = -Infinity;
  border[1] = Infinity;
  for (let q = 1; q < count; q++) {
    let cut = meet(at[last], q);
    while (cut <= border[last]) cut = meet(at[--last], q);
    at[++last] = q;
    border[last] = cut;
    border[last + 1] = Infinity;
  }
  let k = 0;
  for (let n = 0; n < count; n++) {
    while (border[k + 1] < n) k++;
    f[start + n * step] = ((n - at[k]) * spacing) ** 2 + value[at[k]];
  }
}
