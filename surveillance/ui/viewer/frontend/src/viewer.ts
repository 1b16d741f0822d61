/** Viewer: what the reader sets, and what Streamlit says and hears. */

import { Chrome } from "./chrome.ts";
import { type Command, commandOf } from "./commands.ts";
import type { Host, LayerName, PlaneName, Vec3, ViewerData } from "./contract.ts";
import { element } from "./dom.ts";
import { Drawings } from "./drawings.ts";
import type { Window } from "./grey.ts";
import { type Layout, seriesOf, visitsOf } from "./hanging.ts";
import { helpDialog } from "./help.ts";
import { Navigation } from "./navigation.ts";
import { Outlining } from "./outlining.ts";
import type { Pane, Scene, Spot } from "./pane.ts";
import { readout } from "./readout.ts";
import { Screen } from "./screen.ts";
import { startState, type State, type ToolName, windowOf } from "./state.ts";
import { letGo } from "./voxels.ts";

const RENEW_MS = 5000;

export class Viewer {
  readonly root = element("div", { class: "viewer", tabindex: 0, role: "application" });
  readonly texts: Record<string, string>;
  readonly state: State;
  readonly navigation: Navigation;
  readonly outlining: Outlining;
  readonly drawings: Drawings;
  data: ViewerData;
  private host: Host;
  private readonly screen: Screen;
  private readonly chrome: Chrome;
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
    this.navigation = new Navigation(
      () => ({ pane: this.screen.active, scene: this.scene }),
      () => this.screen.request(),
    );
    this.outlining = new Outlining({
      host: () => this.host,
      data: () => this.data,
      scene: () => this.scene,
      say: (word) => this.say(word),
      render: () => this.render(),
      renew: () => this.renew(),
    });
    this.screen = new Screen(this);
    this.drawings = new Drawings(data.annotations, {
      pictures: () => this.data.pictures,
      view: (picture) => this.screen.view(picture),
      changed: (items) => this.host.setStateValue("annotations", { items }),
      render: () => this.render(),
    });
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
    const { choice } = this.state;
    if (!visitsOf(data).includes(choice.visit)) choice.visit = data.visit;
    if (!seriesOf(data).includes(choice.series)) choice.series = seriesOf(data)[0];
    this.screen.strip.arrange();
    this.screen.arrange();
    letGo(data.pictures);
    this.masksDue = true;
  }

  destroy(): void {
    this.resized.disconnect();
    this.outlining.stop();
    this.screen.stop();
    this.root.remove();
  }

  /** Ask Python for new URLs, but not all the time. */
  renew(): void {
    if (performance.now() - this.renewedAt < RENEW_MS) return;
    this.renewedAt = performance.now();
    this.host.setTriggerValue("renew", { at: Date.now() });
  }

  // What the reader sees.

  /** Draw again, the chrome too. */
  render(): void {
    this.chromeStale = true;
    this.screen.request();
  }

  /** The panes were drawn; `ready` when none waits for voxels. */
  drawn(ready: boolean): void {
    this.tell(ready);
    if (this.chromeStale) this.chrome.refresh();
    this.chromeStale = false;
    if (ready && !this.seen) performance.mark("graftsite-first-picture");
    this.seen ||= ready;
    // Masks wait for the first picture.
    if (ready && this.masksDue) void this.syncMasks();
  }

  private async syncMasks(): Promise<void> {
    this.masksDue = false;
    await this.outlining.sync();
    this.root.dataset.masks = "here";
  }

  /** State for whoever watches from outside: tests, and a person at the console. */
  private tell(ready: boolean): void {
    const { state } = this;
    const scene = this.screen.active.scene;
    Object.assign(this.root.dataset, {
      ready: String(ready),
      slice: String((scene?.slice ?? -1) + 1),
      picture: scene?.view.picture.key ?? "",
      zoom: String(scene?.gaze.zoom ?? ""),
      plane: state.plane,
      layout: state.choice.layout,
      fade: String(state.fade),
      opacity: String(state.opacity),
      tool: state.tool,
    });
  }

  /** Say something of the catalogue below the pictures. */
  say(word: string): void {
    this.state.message = word === "" ? "" : (this.texts[word] ?? word);
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

  private get scene(): Scene | null {
    return this.screen.scene(this.screen.active);
  }

  hover(pane: Pane | null, at: Spot | null): void {
    const scene = pane?.scene;
    const spot = pane && scene && at ? pane.toSpot(scene, at) : null;
    this.screen.hovered = pane && spot ? { pane, spot } : null;
    this.chrome.read(scene && spot ? readout(scene, spot) : "");
    if (this.state.tool === "brush" || this.state.tool === "eraser") this.screen.request();
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

  setPlane(plane: PlaneName): void {
    this.state.plane = plane;
  }

  setTool(tool: ToolName): void {
    this.state.tool = tool;
    const edits = tool === "brush" || tool === "eraser" || tool === "fill";
    if (edits) this.state.masksShown = true;
    if (edits && !this.outlining.ready()) this.say("edit_native");
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

  /** The whole image again, in the first window. */
  reset(): void {
    this.navigation.fit();
    this.state.windows.clear();
    this.state.inverted = false;
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

  set(slider: "fade" | "opacity" | "brushMm", value: number): void {
    this.state[slider] = value;
    this.render();
  }

  /** A click on a mask's name: the first makes it the one that is edited, the next hides it. */
  chooseLayer(layer: LayerName): void {
    const { hidden } = this.state;
    const { outlining } = this;
    if (outlining.canEdit(layer) && outlining.layer !== layer && !hidden.has(layer)) outlining.layer = layer;
    else if (!hidden.delete(layer)) hidden.add(layer);
    this.render();
  }

  help(): void {
    this.dialog.showModal();
  }

  cancel(): void {
    this.drawings.select(null);
    this.state.tool = "window";
  }

  // What the reader draws.

  seed(scene: Scene, points: Vec3[]): void {
    this.screen.trail = null;
    if (scene.slice === null) return;
    this.host.setTriggerValue("seed", { picture: scene.view.picture.key, points });
    this.say("segmenting");
  }

  trail(pane: Pane, spots: readonly Spot[]): void {
    this.screen.trail = spots.length > 0 ? { pane, spots: [...spots] } : null;
    this.render();
  }
}
