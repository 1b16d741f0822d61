/** Pane: one picture on the screen; the image on one canvas, what is drawn over it on another. */

import type { Content } from "./hanging.ts";
import type { Window } from "./grey.ts";
import type { Labels } from "./labels.ts";
import type { Gaze, View } from "./linked.ts";
import { element, setText } from "./dom.ts";
import { changeColour, FULL_CHANGE } from "./paint.ts";
import { Raster } from "./raster.ts";

/** A spot in a slice, in pixels (fractions); pixel centres lie on whole numbers. */
export interface Spot {
  x: number;
  y: number;
}

/** What a pane shows now. */
export interface Scene {
  content: Content;
  view: View;
  before: View | null;
  gaze: Gaze;
  slice: number | null;
  window: Window;
  inverted: boolean;
  labels: Labels | null;
  tinted: number;
  opacity: number;
  /** 0 shows `before` alone, 1 the picture alone. */
  fade: number;
  change: boolean;
}

export type Corner = "what" | "where" | "window" | "note";
const MARGIN = 0.98;
export const BACKGROUND = "#08090a";

export class Pane {
  readonly root = element("div", { class: "pane" });
  readonly overlay = element("canvas", { class: "over" });
  scene: Scene | null = null;
  private readonly scaleBar = changeScale();
  private readonly base = element("canvas", { class: "base" });
  private readonly corners = new Map<Corner, HTMLElement>();
  private readonly edges = new Map<string, HTMLElement>();
  private readonly raster = new Raster();
  private readonly beforeRaster = new Raster();
  private width = 1;
  private height = 1;
  private dpr = 1;

  constructor() {
    this.root.append(this.base, this.overlay, this.scaleBar);
    for (const corner of ["what", "where", "window", "note"] as const) {
      this.corners.set(corner, this.add(`corner ${corner}`));
    }
    for (const edge of ["left", "right", "top", "bottom"]) this.edges.set(edge, this.add(`edge ${edge}`));
  }

  private add(name: string): HTMLElement {
    const made = element("div", { class: name });
    this.root.append(made);
    return made;
  }

  write(corner: Corner, text: string): void {
    setText(this.corners.get(corner) as HTMLElement, text);
  }

  /** Whether the colours of change are explained. */
  set scaleShown(shown: boolean) {
    this.scaleBar.hidden = !shown;
  }

  /** Nothing hangs here. */
  blank(): void {
    const context = this.base.getContext("2d", { alpha: false }) as CanvasRenderingContext2D;
    context.fillStyle = BACKGROUND;
    context.fillRect(0, 0, this.base.width, this.base.height);
    this.cleared();
    for (const text of [...this.corners.values(), ...this.edges.values()]) setText(text, "");
    this.scaleShown = false;
  }

  /** Fit the canvases to the pane's place; true when it changed. */
  measure(): boolean {
    const { clientWidth, clientHeight } = this.root;
    const dpr = window.devicePixelRatio || 1;
    if (clientWidth === this.width && clientHeight === this.height && dpr === this.dpr) return false;
    [this.width, this.height, this.dpr] = [Math.max(1, clientWidth), Math.max(1, clientHeight), dpr];
    for (const canvas of [this.base, this.overlay]) {
      canvas.width = Math.round(this.width * dpr);
      canvas.height = Math.round(this.height * dpr);
    }
    return true;
  }

  /** Screen pixels per slice pixel. */
  scale(scene: Scene): Spot {
    const { right, down } = scene.view.plane;
    const fit = Math.min(this.width / (right.count * right.spacing), this.height / (down.count * down.spacing));
    const perMm = fit * MARGIN * scene.gaze.zoom;
    return { x: right.spacing * perMm, y: down.spacing * perMm };
  }

  toScreen(scene: Scene, spot: Spot): Spot {
    const scale = this.scale(scene);
    const middle = scene.view.middle(scene.gaze);
    return {
      x: this.width / 2 + (spot.x - middle.x) * scale.x,
      y: this.height / 2 + (spot.y - middle.y) * scale.y,
    };
  }

  toSpot(scene: Scene, screen: Spot): Spot {
    const scale = this.scale(scene);
    const middle = scene.view.middle(scene.gaze);
    return {
      x: (screen.x - this.width / 2) / scale.x + middle.x,
      y: (screen.y - this.height / 2) / scale.y + middle.y,
    };
  }

  get size(): Spot {
    return { x: this.width, y: this.height };
  }

  /** Draw the image; false when its voxels are not here yet. */
  draw(scene: Scene): boolean {
    this.scene = scene;
    const context = this.base.getContext("2d", { alpha: false }) as CanvasRenderingContext2D;
    context.setTransform(this.dpr, 0, 0, this.dpr, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = BACKGROUND;
    context.fillRect(0, 0, this.width, this.height);
    this.letter(scene);
    if (scene.slice === null) return true;
    const { view, before, content } = scene;
    const shared = { slice: scene.slice, window: scene.window, inverted: scene.inverted, opacity: scene.opacity };
    const fading = before !== null && !scene.change;
    let complete = true;
    if (fading && scene.fade < 1) {
      complete = this.beforeRaster.paint({ ...shared, view: before, labels: null, tinted: 0, subtracted: null });
      if (complete) this.put(context, this.beforeRaster, scene, 1);
    }
    if (!fading || scene.fade > 0) {
      const { labels, tinted } = scene;
      const subtracted = scene.change ? content.before : null;
      const painted = this.raster.paint({ ...shared, view, labels, tinted, subtracted });
      if (painted) this.put(context, this.raster, scene, fading ? scene.fade : 1);
      complete &&= painted;
    }
    return complete;
  }

  private put(context: CanvasRenderingContext2D, raster: Raster, scene: Scene, alpha: number): void {
    const scale = this.scale(scene);
    const corner = this.toScreen(scene, { x: -0.5, y: -0.5 });
    context.globalAlpha = alpha;
    context.imageSmoothingEnabled = true;
    context.drawImage(raster.canvas, corner.x, corner.y, raster.canvas.width * scale.x, raster.canvas.height * scale.y);
  }

  private letter({ view }: Scene): void {
    for (const [edge, letters] of Object.entries(view.letters)) {
      setText(this.edges.get(edge) as HTMLElement, letters);
    }
  }

  /** A cleared overlay to draw on, in screen pixels. */
  cleared(): CanvasRenderingContext2D {
    const context = this.overlay.getContext("2d") as CanvasRenderingContext2D;
    context.setTransform(this.dpr, 0, 0, this.dpr, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    return context;
  }
}

/** The colours of change from one muscle darker to one muscle brighter. */
function changeScale(): HTMLElement {
  const steps = Array.from({ length: 21 }, (_, n) => changeColour(((n - 10) / 10) * FULL_CHANGE));
  const bar = element("span", { class: "gradient", style: `background:linear-gradient(90deg,${steps.join()})` });
  return element("div", { class: "scale", hidden: true }, `−${FULL_CHANGE}×`, bar, `+${FULL_CHANGE}×`);
}
