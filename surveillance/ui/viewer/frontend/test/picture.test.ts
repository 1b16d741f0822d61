import assert from "node:assert/strict";
import { test } from "node:test";
import type { PictureData, Vec3 } from "../src/contract.ts";
import { dragged, greyTable, intensity, OUTSIDE } from "../src/grey.ts";
import { Grid, gridOf, sameGrid } from "../src/grid.ts";
import { Gazes, View } from "../src/linked.ts";
import { reading } from "../src/measure.ts";
import { LAYER_COLOURS, paintChange, paintMasks } from "../src/paint.ts";
import { edgeLetters, letters, planeOf } from "../src/plane.ts";
import { indexOf, pixelOf, stepsOf } from "../src/slice.ts";

const AXIAL = [2, 0, 0, -10, 0, 1, 0, -20, 0, 0, 5, -30, 0, 0, 0, 1];

function picture(affine = AXIAL, shape: Vec3 = [4, 3, 5], spaceFromIndex = affine): PictureData {
  return {
    key: "k", visit: "v", series: "s", space: "x", native: true, shape, affine, spaceFromIndex,
    slope: 1, intercept: 0, unit: 100, hasMuscle: true, id: "i", url: "", slabSlices: 1, start: null, layers: [],
  };
}

const grey = (pixel: number): number => pixel & 255;

test("black and white lie at the ends of the window, in multiples of muscle", () => {
  const table = greyTable({ low: 1, high: 3 }, { slope: 1, intercept: 0, unit: 100 }, false);
  const shown = [50, 100, 180, 300, 900].map((v) => grey(table[v + 32768]));
  assert.deepEqual(shown, [0, 0, 102, 255, 255]);
});

test("two visits of different scale look alike at the same multiple of muscle", () => {
  const window = { low: 0, high: 4 };
  const one = greyTable(window, { slope: 1, intercept: 0, unit: 100 }, false);
  const other = greyTable(window, { slope: 0.5, intercept: 10, unit: 40 }, false);
  assert.equal(grey(one[240 + 32768]), grey(other[172 + 32768]));
});

test("inverted, black is white; what was not imaged stays dark", () => {
  const table = greyTable({ low: 0, high: 1 }, { slope: 1, intercept: 0, unit: 100 }, true);
  assert.equal(grey(table[0 + 32768]), 255);
  assert.equal(grey(table[OUTSIDE + 32768]), 0);
});

test("a drag to the right widens the window, down moves it up", () => {
  const wide = dragged({ low: 1, high: 3 }, 100, 0);
  assert.ok(wide.high - wide.low > 2);
  assert.equal((wide.high + wide.low) / 2, 2);
  const moved = dragged({ low: 1, high: 3 }, 0, 200);
  assert.deepEqual([moved.low, moved.high], [2, 4]);
  const narrow = dragged({ low: 1, high: 3 }, -1e6, 0);
  assert.ok(narrow.high > narrow.low);
});

test("an index goes to the patient and back", () => {
  const oblique = new Grid([9, 9, 9], [1.2, 0.3, -0.1, 4, -0.2, 0.9, 0.5, -7, 0.1, -0.4, 3, 11, 0, 0, 0, 1]);
  const back = oblique.toIndex(oblique.toWorld([1, 2, 3]));
  back.forEach((value, n) => assert.ok(Math.abs(value - (n + 1)) < 1e-9));
});

test("grids are the same when their corners are", () => {
  const moved = AXIAL.with(3, -10.5);
  assert.equal(sameGrid(gridOf(picture()), gridOf(picture([...AXIAL]))), true);
  assert.equal(sameGrid(gridOf(picture()), gridOf(picture(moved))), false);
  assert.equal(sameGrid(gridOf(picture()), gridOf(picture(AXIAL, [4, 3, 4]))), false);
});

test("oblique directions get a second letter, nearly straight ones do not", () => {
  assert.equal(letters([0.9, -0.436, 0]), "LA");
  assert.equal(letters([-0.3, 0, -0.95]), "FR");
  assert.equal(letters([0.99, 0.1, 0.1]), "L");
});

test("pixels and indices are each other's inverse in every plane", () => {
  const grid = gridOf(picture());
  for (const name of ["axial", "coronal", "sagittal"] as const) {
    const plane = planeOf(grid, name);
    const pixel = pixelOf(plane, [1, 2, 4]);
    assert.deepEqual(indexOf(plane, pixel.slice, pixel.x, pixel.y), [1, 2, 4]);
    const steps = stepsOf(grid.shape, plane, pixel.slice);
    assert.equal(steps.start + pixel.x * steps.right + pixel.y * steps.down, 1 + 4 * (2 + 3 * 4));
  }
});

test("the head is above in coronal and sagittal planes, anterior left in the sagittal one", () => {
  const grid = gridOf(picture());
  assert.deepEqual(edgeLetters(grid, planeOf(grid, "coronal")), { left: "R", right: "L", top: "H", bottom: "F" });
  assert.deepEqual(edgeLetters(grid, planeOf(grid, "sagittal")), { left: "A", right: "P", top: "H", bottom: "F" });
});

test("scrolling down goes down the body and stops at the end", () => {
  const view = new View(picture(), "axial");
  const gaze = { cursor: [-10, -20, -20] as Vec3, centre: null, zoom: 1 };
  assert.equal(view.slice(gaze), 2);
  assert.equal(view.slice(view.scrolled(gaze, 1)), 1);
  assert.equal(view.slice(view.scrolled(gaze, 99)), 0);
  assert.equal(view.slice(view.scrolled(gaze, -99)), 4);
});

test("pictures of one space are looked at in the same millimetres", () => {
  const shifted = AXIAL.with(11, -20); // its own grid starts two slices higher in the shared space
  const [one, other] = [new View(picture(), "axial"), new View(picture(AXIAL, [4, 3, 5], shifted), "axial")];
  const gaze = { cursor: [-10, -20, -10] as Vec3, centre: null, zoom: 1 };
  assert.equal(one.slice(gaze), 4);
  assert.equal(other.slice(gaze), 2);
});

test("beside the image there is no slice: no other place is shown for it", () => {
  const view = new View(picture(), "axial");
  assert.equal(view.slice({ cursor: [0, 0, -34], centre: null, zoom: 1 }), null);
  assert.equal(view.slice({ cursor: [0, 0, -32], centre: null, zoom: 1 }), 0);
});

test("linked pictures share a gaze, parted ones do not, linking again takes the active one's", () => {
  const gazes = new Gazes();
  const [a, b] = [picture(), { ...picture(), key: "other" }];
  const start = (): Vec3 => [0, 0, 0];
  const gaze = gazes.of(a, start);
  gazes.set(a, { ...gaze, zoom: 2 });
  assert.equal(gazes.of(b, start).zoom, 2);
  gazes.toggle(a, gazes.of(a, start));
  gazes.set(a, { ...gaze, zoom: 5 });
  assert.equal(gazes.of(b, start).zoom, 2);
  gazes.toggle(a, gazes.of(a, start));
  assert.equal(gazes.of(b, start).zoom, 5);
});

test("a length is the distance in the patient", () => {
  const drawing = { id: "a", kind: "length", picture: "k", plane: "axial", slice: 1, points: [[0, 0, 0], [3, 4, 0]] as Vec3[] } as const;
  assert.deepEqual(reading(drawing, picture(), gridOf(picture()), new Int16Array(60)), { lengthMm: 5 });
});

test("an ellipse counts the pixels whose centres lie inside", () => {
  const voxels = Int16Array.from({ length: 25 }, (_, n) => n);
  const flat = picture([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], [5, 5, 1]);
  const drawing = { id: "a", kind: "ellipse", picture: "k", plane: "axial", slice: 1, points: [[1, 1, 0], [3, 3, 0]] as Vec3[] } as const;
  const is = reading(drawing, flat, gridOf(flat), voxels); // the plus of 7, 11, 12, 13, 17
  assert.equal(is.pixels, 5);
  assert.equal(is.mean, 12);
  assert.ok(Math.abs((is.sd ?? 0) - Math.sqrt((25 + 1 + 0 + 1 + 25) / 5)) < 1e-9);
  assert.ok(Math.abs((is.areaMm2 ?? 0) - Math.PI) < 1e-9);
  assert.equal(is.ratio, 0.12);
});

test("a value outside what was imaged is none", () => {
  assert.equal(intensity(OUTSIDE, picture()), null);
  assert.equal(intensity(7, { slope: 2, intercept: 1, unit: 1 }), 15);
});

test("the graft's colour lies above the muscle's", () => {
  const pixels = new Uint32Array(2);
  const steps = { start: 0, right: 1, down: 2, width: 2, height: 1 };
  paintMasks(Uint8Array.from([3, 2]), steps, 7, 1, pixels);
  const colour = (p: number): number[] => [p & 255, (p >> 8) & 255, (p >> 16) & 255];
  assert.deepEqual(colour(pixels[0]), [...LAYER_COLOURS.graft]);
  assert.deepEqual(colour(pixels[1]), [...LAYER_COLOURS.rectus_left]);
  const hidden = new Uint32Array(2);
  paintMasks(Uint8Array.from([3, 2]), steps, 4, 1, hidden);
  assert.deepEqual([...hidden], [0, 0]);
});

test("brighter than before is orange, darker is blue, unchanged and not imaged are grey", () => {
  const steps = { start: 0, right: 1, down: 9, width: 9, height: 3 };
  const scale = { slope: 1, intercept: 0, unit: 100 };
  const row = [300, 300, 300, 200, 200, 200, 100, 100, 100];
  const after = Int16Array.from([...row, ...row, ...row]);
  const before = new Int16Array(27).fill(200);
  const pixels = new Uint32Array(27).fill(0xff808080);
  paintChange({ voxels: before, scale }, { voxels: after, scale }, steps, pixels);
  const [up, same, down] = [pixels[10], pixels[13], pixels[16]];
  assert.ok((up & 255) > ((up >> 16) & 255));
  assert.equal(same >>> 0, 0xff808080);
  assert.ok((down & 255) < ((down >> 16) & 255));
  before[10] = OUTSIDE;
  const unknown = new Uint32Array(27).fill(0xff808080);
  paintChange({ voxels: before, scale }, { voxels: after, scale }, steps, unknown);
  assert.equal(unknown[10] >>> 0, 0xff808080);
});
