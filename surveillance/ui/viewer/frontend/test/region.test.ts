import assert from "node:assert/strict";
import { test } from "node:test";
import { stroke } from "../src/brush.ts";
import { outlineOf } from "../src/outline.ts";
import { between, enclosed, signedDistance, smoothed } from "../src/region.ts";

/** A mask from a picture: # is inside. */
function mask(...rows: string[]): Uint8Array {
  return Uint8Array.from(rows.join(""), (c) => (c === "#" ? 1 : 0));
}

function picture(of: Uint8Array, width: number): string[] {
  return Array.from({ length: of.length / width }, (_, y) =>
    Array.from(of.subarray(y * width, (y + 1) * width), (v) => (v ? "#" : ".")).join(""),
  );
}

function covered(from: [number, number], to: [number, number], mm: number, spacingX = 1, spacingY = 1): string[] {
  const raster = { width: 7, height: 5, spacingX, spacingY };
  const out = new Uint8Array(35);
  stroke({ x: from[0], y: from[1] }, { x: to[0], y: to[1] }, mm, raster, (x, y) => (out[y * 7 + x] = 1));
  return picture(out, 7);
}

test("a brush covers the pixels whose centres lie within its radius", () => {
  assert.deepEqual(covered([3, 2], [3, 2], 2), [".......", "...#...", "..###..", "...#...", "......."]);
});

test("a brush smaller than a pixel covers the pixel under it", () => {
  assert.deepEqual(covered([3.4, 1.6], [3.4, 1.6], 0.1), [".......", ".......", "...#...", ".......", "......."]);
});

test("a brush is round in millimetres, not in pixels", () => {
  assert.deepEqual(covered([3, 2], [3, 2], 4, 1, 2), [".......", "...#...", ".#####.", "...#...", "......."]);
});

test("a quick stroke leaves no gaps", () => {
  assert.deepEqual(covered([1, 1], [5, 1], 1), [".......", ".#####.", ".......", ".......", "......."]);
});

test("a stroke over the edge stays in the image", () => {
  assert.deepEqual(covered([0, 0], [-4, -4], 2), ["##.....", "#......", ".......", ".......", "......."]);
});

test("a closed outline is filled, one with a gap is not", () => {
  const closed = mask(".....", ".###.", ".#.#.", ".###.", ".....");
  assert.deepEqual(enclosed(closed, 5, 5, 2, 2), [12]);
  const open = mask(".....", ".#.#.", ".#.#.", ".###.", ".....");
  assert.equal(enclosed(open, 5, 5, 2, 2), null);
  assert.equal(enclosed(closed, 5, 5, 0, 0), null);
});

test("filling where it is full changes nothing", () => {
  assert.deepEqual(enclosed(mask("###", "###", "###"), 3, 3, 1, 1), []);
});

test("a diagonal step closes an outline: brushes leave such steps", () => {
  assert.deepEqual(enclosed(mask(".....", "..#..", ".#.#.", "..#..", "....."), 5, 5, 2, 2), [12]);
});

test("smoothing takes a spur away and keeps a plate of two pixels", () => {
  const plate = mask(".........", "....#....", "#########", "#########", ".........", ".........");
  assert.deepEqual(picture(smoothed(plate, 9, 6), 9), [".........", ".........", ".#######.", ".#######.", ".........", "........."]);
});

test("signed distances are negative inside and run from the pixel edge", () => {
  const line = signedDistance(mask("..##.."), 6, 2, 2);
  assert.deepEqual([...line], [3, 1, -1, -1, 1, 3]);
});

test("halfway between a small and a large square lies a middle one", () => {
  const small = mask(".......", ".......", ".......", "...#...", ".......", ".......", ".......");
  const large = mask(".......", ".#####.", ".#####.", ".#####.", ".#####.", ".#####.", ".......");
  const middle = picture(between(small, large, 0.5, 7, 1, 1), 7);
  assert.deepEqual(middle, [".......", ".......", "..###..", "..###..", "..###..", ".......", "......."]);
});

test("between two equal outlines lies the same outline", () => {
  const square = mask("....", ".##.", ".##.", "....");
  assert.deepEqual(between(square, square, 0.3, 4, 0.7, 1.4), square);
});

test("an outline runs along the pixel edges, straight parts joined", () => {
  const two = mask("...", ".##", "...");
  assert.deepEqual(outlineOf(two, 1, 3, 3), [0.5, 0.5, 2.5, 0.5, 0.5, 1.5, 2.5, 1.5, 0.5, 0.5, 0.5, 1.5, 2.5, 0.5, 2.5, 1.5]);
  assert.deepEqual(outlineOf(new Uint8Array(9), 1, 3, 3), []);
});

test("an outline sees only its own mask", () => {
  assert.deepEqual(outlineOf(Uint8Array.from([2, 3, 2]), 1, 3, 1), [0.5, -0.5, 1.5, -0.5, 0.5, 0.5, 1.5, 0.5, 0.5, -0.5, 0.5, 0.5, 1.5, -0.5, 1.5, 0.5]);
});
