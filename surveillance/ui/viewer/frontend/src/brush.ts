/** Brush: which pixels of a slice a round brush covers, along a stroke. */

export interface Spot {
  x: number;
  y: number;
}

/** Pixel size of a slice and how many there are. */
export interface Raster {
  width: number;
  height: number;
  spacingX: number;
  spacingY: number;
}

/**
 * Call `cover(x, y)` for pixels whose centres lie within the brush as it moves from `from` to `to`.
 * A brush smaller than a pixel covers the pixel under it. A pixel may be called more than once.
 */
export function stroke(
  from: Spot, to: Spot, diameterMm: number, raster: Raster, cover: (x: number, y: number) => void,
): void {
  const radius = diameterMm / 2;
  const { spacingX, spacingY, width, height } = raster;
  const put = (x: number, y: number): void => {
    if (x >= 0 && y >= 0 && x < width && y < height) cover(x, y);
  };
  put(Math.round(to.x), Math.round(to.y));
  const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - radius / spacingX));
  const right = Math.min(width - 1, Math.ceil(Math.max(from.x, to.x) + radius / spacingX));
  const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - radius / spacingY));
  const bottom = Math.min(height - 1, Math.ceil(Math.max(from.y, to.y) + radius / spacingY));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      if (distanceMm({ x, y }, from, to, raster) <= radius) cover(x, y);
    }
  }
}

/** Distance of a pixel from the line between two spots, in mm. */
function distanceMm(p: Spot, from: Spot, to: Spot, { spacingX, spacingY }: Raster): number {
  const dx = (to.x - from.x) * spacingX;
  const dy = (to.y - from.y) * spacingY;
  const px = (p.x - from.x) * spacingX;
  const py = (p.y - from.y) * spacingY;
  const square = dx * dx + dy * dy;
  const along = square === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / square));
  return Math.hypot(px - along * dx, py - along * dy);
}
