/** Strip: all visits at the place that is looked at, small, in order of time. */

import type { PictureData } from "./contract.ts";
import { element } from "./dom.ts";
import { visitsOf } from "./hanging.ts";
import { BACKGROUND } from "./pane.ts";
import { Raster } from "./raster.ts";
import type { Screen } from "./screen.ts";
import { windowOf } from "./state.ts";
import type { Viewer } from "./viewer.ts";

/** The strip waits until scrolling rests, so that it never holds up a slice. */
const REST_MS = 120;

interface Thumb {
  button: HTMLButtonElement;
  canvas: HTMLCanvasElement;
  raster: Raster;
}

export class Strip {
  readonly root: HTMLElement;
  private readonly viewer: Viewer;
  private readonly screen: Screen;
  private readonly thumbs = new Map<string, Thumb>();
  private timer = 0;

  constructor(viewer: Viewer, screen: Screen) {
    this.viewer = viewer;
    this.screen = screen;
    this.root = element("div", { class: "strip", role: "group", "aria-label": viewer.texts.time_strip ?? "" });
  }

  /** One button a visit; with a single visit there is no strip. */
  arrange(): void {
    const visits = visitsOf(this.viewer.data);
    this.root.hidden = visits.length < 2;
    if (visits.join("\n") === [...this.thumbs.keys()].join("\n")) return;
    this.thumbs.clear();
    this.root.replaceChildren(...visits.map((visit) => this.make(visit)));
  }

  private make(visit: string): HTMLElement {
    const canvas = element("canvas", { width: 144, height: 108 });
    const label = element("span", {}, visit);
    const button = element("button", { type: "button", "data-visit": visit, title: visit }, canvas, label);
    button.addEventListener("click", () => this.viewer.setVisit(visit));
    this.thumbs.set(visit, { button, canvas, raster: new Raster() });
    return button;
  }

  pictures(): PictureData[] {
    return this.root.hidden ? [] : this.screen.stripPictures();
  }

  refresh(): void {
    const { choice } = this.viewer.state;
    for (const [visit, { button }] of this.thumbs) {
      button.setAttribute("aria-pressed", String(visit === choice.visit));
    }
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.draw(), REST_MS);
  }

  stop(): void {
    window.clearTimeout(this.timer);
  }

  private draw(): void {
    for (const picture of this.pictures()) this.drawOne(picture);
  }

  private drawOne(picture: PictureData): void {
    const thumb = this.thumbs.get(picture.visit);
    if (!thumb) return;
    const { state, data } = this.viewer;
    const view = this.screen.view(picture);
    const slice = view.slice(this.viewer.navigation.gaze(picture));
    const context = thumb.canvas.getContext("2d", { alpha: false }) as CanvasRenderingContext2D;
    const { width, height } = thumb.canvas;
    context.fillStyle = BACKGROUND;
    context.fillRect(0, 0, width, height);
    const ink = {
      view, slice: slice ?? 0, window: windowOf(state, data, picture.series), inverted: state.inverted,
      labels: null, tinted: 0, opacity: 0, subtracted: null,
    };
    if (slice === null || !thumb.raster.paint(ink)) return;
    const { right, down } = view.plane;
    const fit = Math.min(width / (right.count * right.spacing), height / (down.count * down.spacing));
    const [w, h] = [right.count * right.spacing * fit, down.count * down.spacing * fit];
    context.drawImage(thumb.raster.canvas, (width - w) / 2, (height - h) / 2, w, h);
  }
}
