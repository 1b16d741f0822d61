/** State: everything the reader has set, apart from where the gaze is. */

import type { LayerName, PlaneName, ViewerData } from "./contract.ts";
import type { Window } from "./grey.ts";
import { type Choice, seriesOf } from "./hanging.ts";

export type ToolName =
  | "window" | "pan" | "length" | "ellipse" | "value" | "focus"
  | "seed" | "stroke" | "brush" | "eraser" | "fill";

/** Which permission a tool needs; looking needs none. */
export const PERMISSION: Partial<Record<ToolName, ViewerData["tools"][number]>> = {
  length: "measure", ellipse: "measure", value: "measure", focus: "mark",
  seed: "seed", stroke: "seed", brush: "edit", eraser: "edit", fill: "edit",
};

export interface State {
  choice: Choice;
  plane: PlaneName;
  tool: ToolName;
  /** One window for each series, in multiples of muscle, so that visits compare. */
  windows: Map<string, Window>;
  inverted: boolean;
  masksShown: boolean;
  hidden: Set<LayerName>;
  outlined: boolean;
  opacity: number;
  crosshair: boolean;
  fade: number;
  brushMm: number;
  message: string;
}

export function startState(data: ViewerData): State {
  return {
    choice: { layout: data.layout, visit: data.visit, series: seriesOf(data)[0] ?? "" },
    plane: "axial",
    tool: "window",
    windows: new Map(),
    inverted: false,
    masksShown: true,
    hidden: new Set(),
    outlined: true,
    opacity: 0.15,
    crosshair: true,
    fade: 1,
    brushMm: 6,
    message: "",
  };
}

const EVERYTHING: Window = { low: 0, high: 4 };

export function windowOf(state: State, data: ViewerData, series: string): Window {
  return state.windows.get(series) ?? data.presets[0] ?? EVERYTHING;
}

export const BRUSH_MM = [1, 2, 3, 4, 6, 8, 10, 14, 20, 30];

export function nextBrush(mm: number, step: 1 | -1): number {
  const at = BRUSH_MM.findIndex((size) => size >= mm);
  return BRUSH_MM[Math.min(BRUSH_MM.length - 1, Math.max(0, at + step))];
}
