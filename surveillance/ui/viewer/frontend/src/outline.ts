/** Outline: the border of a mask's pixels as line segments. */

/**
 * Segments [x1, y1, x2, y2, …] along pixel edges, straight ones joined; pixel centres lie on whole
 * numbers, so edges lie on halves.
 */
export function outlineOf(mask: Uint8Array, bit: number, width: number, height: number): Float32Array {
  const segments: number[] = [];
  const on = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && (mask[y * width + x] & bit) !== 0;
  for (let y = 0; y <= height; y++) {
    joined(width, (x) => on(x, y - 1) !== on(x, y), (from, to) => {
      segments.push(from - 0.5, y - 0.5, to - 0.5, y - 0.5);
    });
  }
  for (let x = 0; x <= width; x++) {
    joined(height, (y) => on(x - 1, y) !== on(x, y), (from, to) => {
      segments.push(x - 0.5, from - 0.5, x - 0.5, to - 0.5);
    });
  }
  return Float32Array.from(segments);
}

function joined(count: number, edge: (n: number) => boolean, emit: (from: number, to: number) => void): void {
  let from = -1;
  for (let n = 0; n <= count; n++) {
    const here = n < count && edge(n);
    if (here && from < 0) from = n;
    if (!here && from >= 0) {
      emit(from, n);
      from = -1;
    }
  }
}
