/**
 * How a plane of a grid is laid on the screen.
 *
 * The convention is the radiologist's and is fixed: the patient's left is on the right of the
 * screen, anterior above (axial) or to the left (sagittal), the head above.
 */

import type { PlaneName, Vec3 } from "./contract.ts";
import type { Grid } from "./grid.ts";

/** Axis of LPS and the direction along it. */
interface Toward {
  lps: 0 | 1 | 2;
  sign: 1 | -1;
}

const LEFT: Toward = { lps: 0, sign: 1 };
const POSTERIOR: Toward = { lps: 1, sign: 1 };
const FEET: Toward = { lps: 2, sign: -1 };

/** What lies to the right and below on the screen, and where scrolling down leads. */
const CONVENTION: Record<PlaneName, { right: Toward; down: Toward; onward: Toward }> = {
  axial: { right: LEFT, down: POSTERIOR, onward: FEET },
  coronal: { right: LEFT, down: FEET, onward: POSTERIOR },
  sagittal: { right: POSTERIOR, down: FEET, onward: LEFT },
};

/** A voxel axis on the screen; `sign` is +1 when growing indices run right, down or onward. */
export interface ScreenAxis {
  axis: number;
  sign: 1 | -1;
  count: number;
  spacing: number;
}

export interface Plane {
  name: PlaneName;
  right: ScreenAxis;
  down: ScreenAxis;
  onward: ScreenAxis;
}

export function planeOf(grid: Grid, name: PlaneName): Plane {
  const screenAxis = (toward: Toward): ScreenAxis => {
    const { axis, sign } = grid.axisToward(toward.lps);
    const onScreen = sign === toward.sign ? 1 : -1;
    return { axis, sign: onScreen, count: grid.shape[axis], spacing: grid.spacing[axis] };
  };
  const { right, down, onward } = CONVENTION[name];
  return { name, right: screenAxis(right), down: screenAxis(down), onward: screenAxis(onward) };
}

export type Letters = Record<"left" | "right" | "top" | "bottom", string>;

/** The letters at the four edges of the screen, computed from the grid as it lies. */
export function edgeLetters(grid: Grid, plane: Plane): Letters {
  const toward = ({ axis, sign }: ScreenAxis, way: 1 | -1): Vec3 =>
    grid.direction(axis).map((c) => c * sign * way) as Vec3;
  return {
    right: letters(toward(plane.right, 1)),
    left: letters(toward(plane.right, -1)),
    bottom: letters(toward(plane.down, 1)),
    top: letters(toward(plane.down, -1)),
  };
}

const NAMES: readonly [string, string][] = [["L", "R"], ["P", "A"], ["H", "F"]];
/** A component below this is no letter: the sine of 15 degrees. */
const NOTICEABLE = 0.2588;

/** Letters of a direction in LPS, the strongest first: "L", or "LA" for an oblique one. */
export function letters(direction: Vec3): string {
  return [0, 1, 2]
    .filter((axis) => Math.abs(direction[axis]) >= NOTICEABLE)
    .sort((a, b) => Math.abs(direction[b]) - Math.abs(direction[a]))
    .map((axis) => NAMES[axis][direction[axis] > 0 ? 0 : 1])
    .join("");
}
