/** Outline: the border of a mask's pixels as line segments. */

/**
 * Segments [x1, y1, x2, y2, …] along pixel edges, straight ones joined; pixel centres lie on whole
 * numbers, so edges lie on halves.
 */
export function outlineOf(mask: Uint8Array, bit: number, width: number, height: number): number[] {
  const box = boxOf(mask, bit, width, height);
  const segments: number[] = [];
  if (!box) return segments;
  const { left, right, top, bottom } = box;
  for (let y = top; y <= bottom + 1; y++) {
    const above = y > 0 ? (y - 1) * width : -1;
    const below = y < height ? y * width : -1;
    let from = -1;
    for (let x = left; x <= right + 1; x++) {
      const edge = x <= right && at(mask, bit, above, x) !== at(mask, bit, below, x);
      if (edge && from < 0) from = x;
      if (!edge && from >= 0) {
        segments.push(from - 0.5, y - 0.5, x - 0.5, y - 0.5);
        from = -1;
      }
    }
  }
  for (let x = left; x <= right + 1; x++) {
    let from = -1;
    for (let y = top; y <= bottom + 1; y++) {
      const before = x > 0 ? at(mask, bit, y * width, x - 1) : 0;
      const after = x < width ? at(mask, bit, y * width, x) : 0;
      const edge = y <= bottom && before !== after;
      if (edge && from < 0) from = y;
      if (!edge && from >= 0) {
        segments.push(x - 0.5, from - 0.5, x - 0.5, y - 0.5);
        from = -1;
      }
    }
  }
  return segments;
}

/** The bit of a pixel, 0 in a row beside the image. */
function at(mask: Uint8Array, bit: number, row: number, x: number): number {
  return row < 0 ? 0 : mask[row + x] & bit;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** The smallest box round a mask, null when it is empty. */
function boxOf(mask: Uint8Array, bit: number, width: number, height: number): Box | null {
  const box = { left: width, right: -1, top: height, bottom: -1 };
  for (let y = 0, n = 0; y < height; y++) {
    for (let x = 0; x < width; x++, n++) {
      if ((mask[n] & bit) === 0) continue;
      if (x < box.left) box.left = x;
      if (x > box.right) box.right = x;
      if (y < box.top) box.top = y;
      box.bottom = y;
    }
  }
  return box.right < 0 ? null : box;
}
