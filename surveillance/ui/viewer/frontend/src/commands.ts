/** Commands: everything a key or a button does, under one name; help lists this table. */

import type { Layout } from "./hanging.ts";
import { nextBrush, PERMISSION, type ToolName } from "./state.ts";
import type { PlaneName } from "./contract.ts";
import type { Viewer } from "./viewer.ts";

export interface Command {
  name: string;
  /** `KeyboardEvent.key` values; "Ctrl+" stands for Control or Command. */
  keys: readonly string[];
  run(viewer: Viewer): void;
}

const layout = (name: Layout, ...keys: string[]): Command => ({
  name: `layout_${name}`, keys, run: (v) => v.setLayout(name),
});
const plane = (name: PlaneName, key: string): Command => ({
  name: `plane_${name}`, keys: [key], run: (v) => v.setPlane(name),
});
const tool = (name: ToolName, key: string): Command => ({
  name: `tool_${name}`, keys: [key], run: (v) => v.setTool(name),
});
const preset = (n: number): Command => ({
  name: `preset_${n + 1}`, keys: [String(n + 5)], run: (v) => v.setPreset(n),
});

/** In the order help shows them; an empty line of help parts the groups. */
export const GROUPS: readonly (readonly Command[])[] = [
  [
    { name: "slice_next", keys: ["ArrowDown", "ArrowRight"], run: (v) => v.navigation.scroll(1) },
    { name: "slice_previous", keys: ["ArrowUp", "ArrowLeft"], run: (v) => v.navigation.scroll(-1) },
    { name: "slices_onward", keys: ["PageDown"], run: (v) => v.navigation.scroll(5) },
    { name: "slices_back", keys: ["PageUp"], run: (v) => v.navigation.scroll(-5) },
    { name: "slice_first", keys: ["Home"], run: (v) => v.navigation.scroll(-1e6) },
    { name: "slice_last", keys: ["End"], run: (v) => v.navigation.scroll(1e6) },
    { name: "visit_next", keys: ["."], run: (v) => v.stepVisit(1) },
    { name: "visit_previous", keys: [","], run: (v) => v.stepVisit(-1) },
    { name: "series_next", keys: ["t"], run: (v) => v.nextSeries() },
  ],
  [
    layout("one", "1"), layout("two", "2"), layout("change", "3"), layout("four", "4"),
    { name: "blink", keys: [" "], run: (v) => v.blink() },
    plane("axial", "a"), plane("coronal", "c"), plane("sagittal", "s"),
    { name: "link", keys: ["u"], run: (v) => v.navigation.toggleLink() },
    { name: "crosshair", keys: ["g"], run: (v) => v.toggle("crosshair") },
  ],
  [
    tool("window", "w"), tool("pan", "p"),
    { name: "invert", keys: ["i"], run: (v) => v.toggle("inverted") },
    preset(0), preset(1), preset(2), preset(3),
    { name: "zoom_in", keys: ["+", "="], run: (v) => v.navigation.zoom(1.25) },
    { name: "zoom_out", keys: ["-"], run: (v) => v.navigation.zoom(0.8) },
    { name: "reset", keys: ["r"], run: (v) => v.reset() },
  ],
  [
    tool("length", "l"), tool("ellipse", "e"), tool("value", "v"), tool("focus", "m"),
    { name: "delete", keys: ["Delete", "Backspace"], run: (v) => v.drawings.deleteSelected() },
    { name: "cancel", keys: ["Escape"], run: (v) => v.cancel() },
  ],
  [
    { name: "masks", keys: ["h"], run: (v) => v.toggle("masksShown") },
    { name: "outline", keys: ["o"], run: (v) => v.toggle("outlined") },
    tool("seed", "d"), tool("stroke", "k"),
    tool("brush", "b"), tool("eraser", "x"), tool("fill", "f"),
    { name: "brush_smaller", keys: ["["], run: (v) => v.set("brushMm", nextBrush(v.state.brushMm, -1)) },
    { name: "brush_larger", keys: ["]"], run: (v) => v.set("brushMm", nextBrush(v.state.brushMm, 1)) },
    { name: "interpolate", keys: ["n"], run: (v) => v.outlining.act("interpolate") },
    { name: "smooth", keys: ["j"], run: (v) => v.outlining.act("smooth") },
    { name: "undo", keys: ["Ctrl+z"], run: (v) => v.outlining.wind("undo") },
    { name: "redo", keys: ["Ctrl+y", "Ctrl+Z"], run: (v) => v.outlining.wind("redo") },
  ],
  [{ name: "help", keys: ["?"], run: (v) => v.help() }],
];

const EDITS = new Set(["brush_smaller", "brush_larger", "interpolate", "smooth", "undo", "redo"]);

/** Whether the page lets the reader do this. */
export function allowed(command: Command, viewer: Viewer): boolean {
  const name = command.name.replace(/^tool_/, "") as ToolName;
  const needed = EDITS.has(command.name) ? "edit" : PERMISSION[name];
  return needed === undefined || viewer.data.tools.includes(needed);
}

const BY_NAME = new Map(GROUPS.flat().map((command) => [command.name, command]));
const BY_KEY = new Map(GROUPS.flat().flatMap((c) => c.keys.map((key) => [key, c] as const)));

export function commandNamed(name: string): Command {
  const command = BY_NAME.get(name);
  if (!command) throw new Error(`no command ${name}`);
  return command;
}

/** The command of a key press, null when the key is not ours. */
export function commandOf(event: KeyboardEvent): Command | null {
  if (event.altKey) return null;
  const held = event.ctrlKey || event.metaKey;
  const name = event.key.length === 1 && !(held && event.shiftKey) ? event.key.toLowerCase() : event.key;
  return BY_KEY.get(held ? `Ctrl+${name}` : name) ?? null;
}

const KEY_NAMES: Record<string, string> = {
  ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", " ": "␣",
  PageDown: "PgDn", PageUp: "PgUp", Escape: "Esc", Delete: "Del", Backspace: "⌫", "Ctrl+Z": "Ctrl+Shift+Z",
};

/** A key as it stands on a keyboard. */
export function keyName(key: string): string {
  return KEY_NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key.replace(/\+([a-z])$/, (_, c: string) => `+${c.toUpperCase()}`));
}
