/** Viewer: what the reader does to the state, and what Streamlit says and hears. */

import { Autosave, type SaveState } from "./autosave.ts";
import { Chrome } from "./chrome.ts";
import { type Command, commandOf } from "./commands.ts";
import type { AnnotationKind, Host, LayerName, PictureData, PlaneName, Vec3, ViewerData } from "./contract.ts";
import { element } from "./dom.ts";
import { Drawings } from "./drawings.ts";
import { Editing } from "./editing.ts";
import { intensity, type Window } from "./grey.ts";
import { type Layout, seriesOf, visitsOf } from "./hanging.ts";
import { helpDialog } from "./help.ts";
import type { History } from "./history.ts";
import { Gazes } from "./linked.ts";
import { PictureMasks, tabMemory } from "./masks.ts";
import type { Placed } from "./overlay.ts";
import type { Pane, Scene, Spot } from "./pane.ts";
import { Screen } from "./screen.ts";
import { startState, type State, type ToolName, windowOf } from "./state.ts";
import { letGo } from "./voxels.ts";

export class Viewer {
  readonly root = element("div", { class: "viewer", tabindex: 0, role: "application" });
  readonly texts: Record<string, string>;
  readonly gazes = new Gazes();
  readonly state: State;
  readonly drawings: Drawings;
  data: ViewerData;
  private host: Host;
  private readonly masks = new Map<string, PictureMasks>();
  private readonly screen: Screen;
  private readonly chrome: Chrome;
  private readonly autosave: Autosave;
  private readonly dialog: HTMLDialogElement;
  private readonly resized = new ResizeObserver(() => this.render());
  private renewedAt = -Infinity;
  private masksDue = false;
  private seen = false;
  private chromeStale = true;

  constructor(data: ViewerData, host: Host) {
    performance.mark("graftsite-viewer-made");
    this.data = data;
    this.host = host;
    this.texts = data.texts;
    this.state = startState(data);
    this.drawings = new Drawings(data.annotations, () => this.data.pictures);
    this.autosave = new Autosave({
      host: () => this.host,
      masks: (picture) => this.masks.get(picture),
      layerUrl: (picture, layer) => this.layerData(picture, layer)?.url ?? "",
      changed: () => this.render(),
    });
    this.screen = new Screen(this);
    this.chrome = new Chrome(this);
    this.dialog = helpDialog(this);
    this.root.setAttribute("aria-label", this.texts.viewer ?? "");
    const { bar, rail, status } = this.chrome;
    this.root.append(bar, rail, this.screen.stage, this.screen.strip.root, status, this.dialog);
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.resized.observe(this.screen.stage);
    this.update(data, host);
  }

  /** Streamlit ran the page again and its data differ. */
  update(data: ViewerData, host: Host): void {
    this.data = data;
    this.host = host;
    const known = (visit: string): boolean => visitsOf(data).includes(visit);
    if (!known(this.state.choice.visit)) this.state.choice.visit = data.visit;
    if (!seriesOf(data).includes(this.state.choice.series)) this.state.choice.series = seriesOf(data)[0];
    this.screen.strip.arrange();
    this.screen.arrange();
    this.screen.again();
    letGo(data.pictures);
    this.masksDue = true;
  }

  destroy(): void {
    this.resized.disconnect();
    this.autosave.stop();
    this.screen.stop();
    this.root.remove();
  }

  private async syncMasks(): Promise<void> {
    this.masksDue = false;
    for (const picture of this.data.pictures.filter((p) => p.layers.length > 0)) {
      const masks = this.masks.get(picture.key) ?? new PictureMasks(picture, tabMemory(this.data.case));
      this.masks.set(picture.key, masks);
      try {
        if (await masks.sync(picture.layers)) this.say("");
      } catch {
        this.renew();
      }
      for (const layer of masks.layers) if (masks.history(layer)?.unsaved) this.autosave.touch(picture.key, layer);
    }
    this.root.dataset.masks = "here";
    this.autosave.heard();
  }

  /** Ask Python for new URLs, not more often than every five seconds. */
  renew(): void {
    if (performance.now() - this.renewedAt < 5000) return;
    this.renewedAt = performance.now();
    this.host.setTriggerValue("renew", { at: Date.now() });
  }

  // What the reader sees.

  /** Draw again, the chrome too. */
  render(): void {
    this.chromeStale = true;
    this.screen.request();
  }

  drawn(ready: boolean): void {
    const { dataset } = this.root;
    const scene = this.screen.active.scene;
    dataset.ready = String(ready);
    dataset.slice = String((scene?.slice ?? -1) + 1);
    dataset.picture = scene?.view.picture.key ?? "";
    dataset.zoom = String(scene?.gaze.zoom ?? "");
    dataset.plane = this.state.plane;
    dataset.layout = this.state.choice.layout;
    dataset.opacity = String(this.state.opacity);
    dataset.fade = String(this.state.fade);
    dataset.tool = this.state.tool;
    if (ready && !this.seen) performance.mark("graftsite-first-picture");
    this.seen ||= ready;
    if (this.chromeStale) this.chrome.refresh();
    this.chromeStale = false;
    // Masks wait for the first picture.
    if (ready && this.masksDue) void this.syncMasks();
  }

  say(message: string): void {
    this.state.message = message;
    this.render();
  }

  focus(pane: Pane): void {
    this.root.focus({ preventScroll: true });
    this.activate(pane);
  }

  activate(pane: Pane): void {
    if (pane === this.screen.active) return;
    this.screen.active = pane;
    this.render();
  }

  hover(pane: Pane | null, at: Spot | null): void {
    const scene = pane?.scene;
    const spot = pane && scene && at ? pane.toSpot(scene, at) : null;
    this.screen.hovered = pane && spot ? { pane, spot } : null;
    this.chrome.read(scene && spot ? this.readout(scene, spot) : "");
    if (this.state.tool === "brush" || this.state.tool === "eraser") this.screen.request();
  }

  private readout(scene: Scene, spot: Spot): string {
    const under = this.screen.under(scene, spot);
    if (!under) return "";
    const { picture } = scene.view;
    const value = intensity(under.voxel, picture);
    const [x, y, z] = under.point;
    const side = (v: number, plus: string, minus: string): string => `${v >= 0 ? plus : minus} ${Math.abs(v).toFixed(1)}`;
    const place = `${side(x, "L", "R")}  ${side(y, "P", "A")}  ${side(z, "H", "F")} mm`;
    const ratio = value !== null && picture.hasMuscle ? `  ×${(value / picture.unit).toFixed(2)}` : "";
    return `${place}   ${value === null ? "–" : value.toFixed(0)}${ratio}`;
  }

  // Keys and buttons.

  private key(event: KeyboardEvent): void {
    const inField = event.composedPath().some((t) => t instanceof HTMLInputElement || t instanceof HTMLSelectElement);
    const onButton = event.composedPath()[0] instanceof HTMLButtonElement && (event.key === " " || event.key === "Enter");
    const command = inField || onButton ? null : commandOf(event);
    // The page has keys of its own (R runs it again): in the viewer they are not meant.
    if (!event.ctrlKey && !event.metaKey && event.key !== "Tab") event.stopPropagation();
    if (!command) return;
    event.preventDefault();
    event.stopPropagation();
    this.run(command);
  }

  run(command: Command): void {
    this.state.message = "";
    command.run(this);
    this.render();
  }

  setLayout(layout: Layout): void {
    this.state.choice.layout = layout;
    this.state.fade = 1;
    this.screen.arrange();
  }

  /** To and fro between two registered visits on one place of the screen. */
  blink(): void {
    if (this.state.choice.layout !== "fade") this.setLayout("fade");
    this.state.fade = this.state.fade < 0.5 ? 1 : 0;
  }

  setFade(fade: number): void {
    this.state.fade = fade;
    this.render();
  }

  setPlane(plane: PlaneName): void {
    this.state.plane = plane;
  }

  setTool(tool: ToolName): void {
    this.state.tool = tool;
    const edits = tool === "brush" || tool === "eraser" || tool === "fill";
    if (edits && !this.editable()) this.say(this.texts.edit_native ?? "");
  }

  setVisit(visit: string): void {
    this.state.choice.visit = visit;
    this.screen.arrange();
  }

  stepVisit(step: number): void {
    const visits = visitsOf(this.data);
    const at = visits.indexOf(this.state.choice.visit) + step;
    if (visits[at] !== undefined) this.setVisit(visits[at]);
  }

  setSeries(series: string): void {
    this.state.choice.series = series;
    this.screen.arrange();
  }

  nextSeries(): void {
    const all = seriesOf(this.data);
    this.setSeries(all[(all.indexOf(this.state.choice.series) + 1) % all.length]);
  }

  toggle(flag: "crosshair" | "inverted" | "masksShown" | "outlined"): void {
    this.state[flag] = !this.state[flag];
  }

  private get scene(): Scene | null {
    return this.screen.scene(this.screen.active);
  }

  toggleLink(): void {
    const { scene } = this;
    if (scene) this.gazes.toggle(scene.view.picture, scene.gaze);
  }

  scroll(steps: number): void {
    const { scene } = this;
    if (scene) this.gazes.set(scene.view.picture, scene.view.scrolled(scene.gaze, steps));
    this.screen.request();
  }

  /** Zoom; the place under `at` stays where it is. */
  zoom(factor: number, at?: Spot): void {
    const { scene } = this;
    if (!scene) return;
    const pane = this.screen.active;
    const fixed = at ?? { x: pane.size.x / 2, y: pane.size.y / 2 };
    const before = pane.toSpot(scene, fixed);
    const gaze = { ...scene.gaze, zoom: Math.min(20, Math.max(0.5, scene.gaze.zoom * factor)) };
    const after = pane.toSpot({ ...scene, gaze }, fixed);
    const middle = scene.view.middle(gaze);
    const centre = scene.view.sharedAt(scene.slice ?? 0, middle.x + before.x - after.x, middle.y + before.y - after.y);
    this.gazes.set(scene.view.picture, { ...gaze, centre });
    this.screen.request();
  }

  pan(pane: Pane, dx: number, dy: number): void {
    const scene = this.screen.scene(pane);
    if (!scene) return;
    const scale = pane.scale(scene);
    const middle = scene.view.middle(scene.gaze);
    const centre = scene.view.sharedAt(scene.slice ?? 0, middle.x - dx / scale.x, middle.y - dy / scale.y);
    this.gazes.set(scene.view.picture, { ...scene.gaze, centre });
    this.screen.request();
  }

  /** The whole image again, in the first window. */
  reset(): void {
    const { scene } = this;
    if (scene) this.gazes.set(scene.view.picture, { ...scene.gaze, centre: null, zoom: 1 });
    this.state.windows.clear();
    this.state.inverted = false;
  }

  point(_pane: Pane, scene: Scene, spot: Spot): void {
    if (scene.slice === null) return;
    const cursor = scene.view.sharedAt(scene.slice, spot.x, spot.y);
    this.gazes.set(scene.view.picture, { ...scene.gaze, cursor });
    this.render();
  }

  setWindow(series: string, window: Window): void {
    this.state.windows.set(series, window);
    this.render();
  }

  setPreset(n: number): void {
    const preset = this.data.presets[n];
    if (preset) this.setWindow(this.state.choice.series, { low: preset.low, high: preset.high });
  }

  /** Number of the preset that is on, -1 for a window of the reader's own. */
  presetShown(): number {
    const { low, high } = windowOf(this.state, this.data, this.state.choice.series);
    return this.data.presets.findIndex((preset) => preset.low === low && preset.high === high);
  }

  help(): void {
    this.dialog.showModal();
  }

  cancel(): void {
    this.drawings.selected = null;
    this.drawings.sketch = null;
    this.state.tool = "window";
  }

  // Measurements and marks.

  pointAt(pane: Pane, scene: Scene, at: Spot): Vec3 {
    const spot = pane.toSpot(scene, at);
    return scene.view.pointAt(scene.slice ?? 0, spot.x, spot.y);
  }

  placed(_pane: Pane, scene: Scene): Placed[] {
    return this.drawings.placed(scene).reverse();
  }

  sketch(_pane: Pane, scene: Scene, kind: AnnotationKind, points: Vec3[]): void {
    this.drawings.sketch = points.length > 0 ? this.drawings.make(scene, kind, points) : null;
    this.render();
  }

  annotate(_pane: Pane, scene: Scene, kind: AnnotationKind, points: Vec3[]): void {
    if (scene.slice === null) return;
    this.drawings.add(this.drawings.make(scene, kind, points));
    this.annotated();
  }

  select(id: string | null): void {
    this.drawings.selected = id;
    this.render();
  }

  reshape(id: string, change: (points: Vec3[]) => Vec3[]): void {
    this.drawings.reshape(id, change);
    this.render();
  }

  deleteSelected(): void {
    if (this.drawings.deleteSelected()) this.annotated();
  }

  /** Tell Python what is drawn now. */
  annotated(): void {
    this.host.setStateValue("annotations", { items: this.drawings.items });
    this.render();
  }

  // Masks.

  masksOf(picture: PictureData): PictureMasks | undefined {
    return this.masks.get(picture.key);
  }

  private layerData(picture: string, layer: LayerName): PictureData["layers"][number] | undefined {
    return this.data.pictures.find((p) => p.key === picture)?.layers.find((l) => l.layer === layer);
  }

  layersCarried(): Set<LayerName> {
    return new Set(this.scene?.view.picture.layers.map((layer) => layer.layer));
  }

  /** Whether the active pane's picture has the chosen mask and the reader may edit it. */
  editable(scene = this.scene): boolean {
    const layer = scene && this.layerData(scene.view.picture.key, this.state.layer);
    return layer?.editable === true && this.data.tools.includes("edit") && this.masks.get(scene?.view.picture.key ?? "")?.history(this.state.layer) !== undefined;
  }

  history(): History | undefined {
    const { scene } = this;
    return scene ? this.masksOf(scene.view.picture)?.history(this.state.layer) : undefined;
  }

  toggleLayer(layer: LayerName): void {
    const { hidden } = this.state;
    const editable = this.scene && this.layerData(this.scene.view.picture.key, layer)?.editable;
    if (editable && this.state.layer !== layer && !hidden.has(layer)) this.state.layer = layer;
    else if (!hidden.delete(layer)) hidden.add(layer);
    this.render();
  }

  setOpacity(opacity: number): void {
    this.state.opacity = opacity;
    this.render();
  }

  setBrush(mm: number): void {
    this.state.brushMm = mm;
    this.render();
  }

  private editing(scene: Scene | null): Editing | null {
    const masks = scene && this.masksOf(scene.view.picture);
    if (!scene || !masks || !this.editable(scene)) {
      this.say(this.texts.edit_native ?? "");
      return null;
    }
    this.state.masksShown = true;
    return new Editing(masks, this.state.layer, scene.view);
  }

  startStroke(_pane: Pane, scene: Scene, on: boolean): ReturnType<Editing["brush"]> | undefined {
    if (scene.slice === null) return undefined;
    return this.editing(scene)?.brush(scene.slice, this.state.brushMm, on);
  }

  fill(_pane: Pane, scene: Scene, spot: Spot): void {
    const editing = scene.slice === null ? null : this.editing(scene);
    if (!editing) return;
    if (editing.fill(scene.slice ?? 0, spot)) this.edited(scene);
    else this.say(this.texts.not_closed ?? "");
  }

  edit(act: "interpolate" | "smooth"): void {
    const { scene } = this;
    const editing = this.editing(scene);
    if (!editing || !scene) return;
    if (editing[act]()) this.edited(scene);
    else this.say(this.texts.nothing_changed ?? "");
  }

  wind(way: "undo" | "redo"): void {
    const { scene } = this;
    if (scene && this.editable(scene) && this.masksOf(scene.view.picture)?.[way](this.state.layer)) this.edited(scene);
  }

  edited(scene: Scene): void {
    this.autosave.touch(scene.view.picture.key, this.state.layer);
  }

  /** What to say about saving; null when nothing can be edited. */
  saveState(): SaveState | null {
    const editable = this.data.pictures.some((p) => p.layers.some((layer) => layer.editable));
    return editable && this.data.tools.includes("edit") ? this.autosave.state : null;
  }

  retrySave(): void {
    this.autosave.retry();
  }

  seed(scene: Scene, points: Vec3[]): void {
    this.screen.trail = null;
    if (scene.slice === null) return;
    this.host.setTriggerValue("seed", { picture: scene.view.picture.key, points });
    this.say(this.texts.segmenting ?? "");
  }

  trail(pane: Pane, spots: readonly Spot[]): void {
    this.screen.trail = spots.length > 0 ? { pane, spots: [...spots] } : null;
    this.render();
  }
}
