/** Chrome: the bar above the pictures, the tools beside them, the line below. */

import { allowed, commandNamed, keyName } from "./commands.ts";
import type { LayerName } from "./contract.ts";
import { element, icon, setText } from "./dom.ts";
import { seriesOf } from "./hanging.ts";
import { ICONS } from "./icons.ts";
import { LAYERS } from "./paint.ts";
import type { Viewer } from "./viewer.ts";

const VIEWS = [
  ["layout_one", "layout_two", "layout_change", "layout_four", "blink"],
  ["plane_axial", "plane_coronal", "plane_sagittal"],
];
const LOOKS = [["invert", "reset"], ["link", "crosshair"]];
const RAIL = [
  ["tool_window", "tool_pan"],
  ["tool_length", "tool_ellipse", "tool_value", "tool_focus"],
  ["tool_seed", "tool_stroke"],
  ["tool_brush", "tool_eraser", "tool_fill", "interpolate", "smooth"],
  ["undo", "redo"],
];

export class Chrome {
  readonly bar: HTMLElement;
  readonly rail: HTMLElement;
  readonly status: HTMLElement;
  private readonly viewer: Viewer;
  private readonly buttons = new Map<string, HTMLButtonElement>();
  private readonly chips = new Map<LayerName, HTMLButtonElement>();
  private readonly series: HTMLSelectElement;
  private readonly presets: HTMLSelectElement;
  private readonly fade: HTMLInputElement;
  private readonly brush: HTMLInputElement;
  private readonly opacity: HTMLInputElement;
  private readonly fields = new Map<string, HTMLElement>();
  private readonly said = element("span", { class: "said", role: "status" });
  private readonly readout = element("span", { class: "readout" });
  private readonly saving = element("button", { class: "saving", type: "button" });

  constructor(viewer: Viewer) {
    this.viewer = viewer;
    const { texts, data } = viewer;
    this.series = this.select("series", seriesOf(data), (value) => viewer.setSeries(value));
    const labels = data.presets.map((preset) => preset.label);
    this.presets = this.select("presets", labels, (_, n) => viewer.setPreset(n));
    this.fade = this.slider("fade", 0, 1, 0.05, (value) => viewer.set("fade", value));
    this.brush = this.slider("brush_size", 1, 30, 1, (value) => viewer.set("brushMm", value));
    this.opacity = this.slider("opacity", 0, 0.8, 0.05, (value) => viewer.set("opacity", value));
    this.bar = element("div", { class: "bar", role: "toolbar", "aria-label": texts.toolbar_views });
    this.bar.append(
      ...VIEWS.map((names) => this.group(names)),
      element("span", { class: "group" }, this.field("series"), this.field("presets")),
      ...LOOKS.map((names) => this.group(names)),
      this.field("fade"), this.masks(), this.field("brush_size"),
      element("span", { class: "group last" }, this.button("help")),
    );
    this.rail = element("div", { class: "rail", role: "toolbar", "aria-label": texts.toolbar_tools, "aria-orientation": "vertical" });
    this.rail.append(...RAIL.map((names) => this.group(names)));
    this.saving.addEventListener("click", () => viewer.outlining.retry());
    this.status = element("div", { class: "status" }, this.readout, this.said, this.saving);
  }

  private group(names: readonly string[]): HTMLElement {
    const group = element("span", { class: "group" });
    for (const name of names) {
      if (allowed(commandNamed(name), this.viewer)) group.append(this.button(name));
    }
    return group;
  }

  private button(name: string): HTMLButtonElement {
    const command = commandNamed(name);
    const label = this.viewer.texts[name] ?? name;
    const keys = command.keys.map(keyName).join(" ");
    const made = element("button", { type: "button", title: `${label} (${keys})`, "aria-label": label, "data-command": name }, icon(ICONS[name] ?? ""));
    made.addEventListener("click", () => this.viewer.run(command));
    this.buttons.set(name, made);
    return made;
  }

  private select(name: string, options: readonly string[], chosen: (value: string, n: number) => void): HTMLSelectElement {
    const label = this.viewer.texts[name] ?? name;
    const made = element("select", { title: label, "aria-label": label, "data-field": name });
    made.append(...options.map((option) => element("option", {}, option)));
    made.addEventListener("change", () => chosen(made.value, made.selectedIndex));
    this.fields.set(name, made);
    return made;
  }

  private slider(name: string, min: number, max: number, step: number, moved: (value: number) => void): HTMLInputElement {
    const label = this.viewer.texts[name] ?? name;
    const made = element("input", { type: "range", min, max, step, title: label, "aria-label": label, "data-field": name });
    made.addEventListener("input", () => moved(Number(made.value)));
    this.fields.set(name, element("label", { class: "field" }, element("span", {}, label), made));
    return made;
  }

  private field(name: string): HTMLElement {
    return this.fields.get(name) as HTMLElement;
  }

  /** Show and hide masks; a click on a mask's name also makes it the one that is edited. */
  private masks(): HTMLElement {
    const group = element("span", { class: "group masks" }, this.button("masks"), this.button("outline"));
    for (const layer of LAYERS) {
      const label = this.viewer.texts[`layer_${layer}`] ?? layer;
      const chip = element("button", { type: "button", class: `chip ${layer}`, title: label, "data-layer": layer }, label);
      chip.addEventListener("click", () => this.viewer.chooseLayer(layer));
      this.chips.set(layer, chip);
      group.append(chip);
    }
    group.append(this.field("opacity"));
    return group;
  }

  /** Make the chrome say what the state is. */
  refresh(): void {
    const { viewer } = this;
    const { state, texts } = viewer;
    const pressed = new Set([
      `layout_${state.choice.layout}`, `plane_${state.plane}`, `tool_${state.tool}`,
      ...(state.choice.layout === "fade" ? ["blink"] : []),
      ...(state.inverted ? ["invert"] : []), ...(viewer.navigation.linked ? ["link"] : []),
      ...(state.crosshair ? ["crosshair"] : []), ...(state.masksShown ? ["masks"] : []),
      ...(state.outlined ? ["outline"] : []),
    ]);
    for (const [name, button] of this.buttons) {
      if (!["undo", "redo", "reset", "help", "interpolate", "smooth"].includes(name)) {
        attribute(button, "aria-pressed", String(pressed.has(name)));
      }
    }
    disable(this.buttons.get("undo"), !viewer.outlining.history()?.canUndo);
    disable(this.buttons.get("redo"), !viewer.outlining.history()?.canRedo);
    const carried = viewer.outlining.carried();
    for (const [layer, chip] of this.chips) {
      chip.hidden = !carried.has(layer);
      attribute(chip, "aria-pressed", String(!state.hidden.has(layer)));
      attribute(chip, "data-edited", String(viewer.outlining.canEdit(layer) && layer === viewer.outlining.layer));
    }
    (this.bar.querySelector(".masks") as HTMLElement).hidden = carried.size === 0;
    this.field("fade").hidden = state.choice.layout !== "fade";
    this.field("brush_size").hidden = state.tool !== "brush" && state.tool !== "eraser";
    this.fade.value = String(state.fade);
    this.brush.value = String(state.brushMm);
    setText(this.brush.previousElementSibling as HTMLElement, `${texts.brush_size ?? ""} ${state.brushMm}`);
    this.opacity.value = String(state.opacity);
    this.series.value = state.choice.series;
    this.presets.selectedIndex = viewer.presetShown();
    const saving = viewer.outlining.saveState();
    this.saving.hidden = saving === null;
    disable(this.saving, saving !== "failed");
    attribute(this.saving, "data-state", saving ?? "");
    setText(this.saving, saving === null ? "" : (texts[`save_${saving}`] ?? saving));
    setText(this.said, state.message);
  }

  /** What lies under the pointer. */
  read(text: string): void {
    setText(this.readout, text);
  }
}

function attribute(target: HTMLElement, name: string, value: string): void {
  if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}

function disable(button: HTMLButtonElement | undefined, disabled: boolean): void {
  if (button && button.disabled !== disabled) button.disabled = disabled;
}
