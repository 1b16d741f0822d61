/** Print the edge letters of grids given on stdin: a test in Python compares them (not a test here). */
import { readFileSync } from "node:fs";
import { Grid } from "../src/grid.ts";
import { edgeLetters, planeOf } from "../src/plane.ts";

const grids = JSON.parse(readFileSync(0, "utf8")) as number[][];
const answers = grids.map((affine) => {
  const grid = new Grid([4, 5, 6], affine);
  return (["axial", "coronal", "sagittal"] as const).map((name) => {
    const plane = planeOf(grid, name);
    const { left, right, top, bottom } = edgeLetters(grid, plane);
    const across = [plane.right, plane.down, plane.onward].map(({ axis, sign }) => [axis, sign]);
    return { left, right, top, bottom, across };
  });
});
process.stdout.write(JSON.stringify(answers));
