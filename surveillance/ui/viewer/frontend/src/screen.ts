/** Screen: the panes and the time strip, drawn once a frame, and the voxels they wait for. */

import type { PictureData } from "./contract.ts";
import { element } from "./dom.ts";
import { listen } from "./gestures.ts";
import { type Content, contentsOf, pictureOf, visitsOf } from "./hanging.ts";
import { View } from "./linked.ts";
import { drawBrush, drawCrosshair, drawPlaced, drawTrail, Outlines } from "./overlay.ts";
import { bitOf, LAYERS } from "./paint.ts";
import { Pane, type Scene, type Spot } from "./pane.ts";
import { windowOf } from "./state.ts";
import { Strip } from "./strip.ts";
import type { Viewer } from "./viewer.ts";
import { voxelsOf } from "./voxels.ts";

export class Screen {
  readonly stage = element("div", { class: "stage" });
  readonly strip: Strip;
  active: Pane;
  trail: { pane: Pane; spots: readonly Spot[] } | null = null;
  hovered: { pane: Pane; spot: Spot } | null = null;
  private readonly viewer: Viewer;
  private readonly panes: Pane[] = [];
  private readonly outlines = new Map<Pane, Outlines>();
  private readonly views = new Map<string, View>();
  private readonly failed = new Set<string>();
  private contents: (Content | null)[] = [];
  private arranged = "";
  private frame = 0;

  constructor(viewer: Viewer) {
    this.viewer = viewer;
    this.strip = new Strip(viewer, this);
    for (let n = 0; n < 4; n++) {
      const pane = new Pane();
      listen(pane, viewer);
      this.panes.push(pane);
      this.outlines.set(pane, new Outlines());
      this.stage.append(pane.root);
    }
    this.active = this.panes[0];
  }

  /** Hang the pictures of the present choice. */
  arrange(): void {
    const { data, state } = this.viewer;
    this.contents = contentsOf(data, state.choice);
    this.stage.dataset.panes = String(this.contents.length);
    this.panes.forEach((pane, n) => {
      pane.root.hidden = n >= this.contents.length;
    });
    // The visit that is read stands on the right: it is what keys act on.
    const layout = state.choice.layout;
    if (layout !== this.arranged) this.active = this.panes[this.contents.length > 1 ? 1 : 0];
    this.arranged = layout;
    this.failed.clear();
    this.views.clear();
    this.request();
  }

  /** Draw before the next picture of the display. */
  request(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
    this.strip.stop();
  }

  view(picture: PictureData): View {
    const key = `${picture.key}\n${this.viewer.state.plane}`;
    const view = this.views.get(key) ?? new View(picture, this.viewer.state.plane);
    this.views.set(key, view);
    return view;
  }

  /** The scene of a pane now; null when it is empty. */
  scene(pane: Pane): Scene | null {
    const content = this.contents[this.panes.indexOf(pane)];
    if (!content || pane.root.hidden) return null;
    const { state, data } = this.viewer;
    const view = this.view(content.picture);
    const gaze = this.viewer.navigation.gaze(content.picture);
    const masks = this.viewer.outlining.of(content.picture);
    const change = state.choice.layout === "change" && content.before !== null;
    return {
      content, view, gaze, change,
      before: content.before && this.view(content.before),
      slice: view.slice(gaze),
      window: windowOf(state, data, content.picture.series),
      inverted: state.inverted,
      labels: masks?.labels ?? null,
      tinted: state.masksShown ? this.shown() : 0,
      opacity: state.opacity,
      fade: state.fade,
    };
  }

  private shown(): number {
    const { hidden } = this.viewer.state;
    return LAYERS.filter((layer) => !hidden.has(layer)).reduce((bits, layer) => bits | bitOf(layer), 0);
  }

  private draw(): void {
    let ready = true;
    for (const pane of this.panes) {
      pane.root.classList.toggle("active", pane === this.active && this.contents.length > 1);
      const scene = this.scene(pane);
      pane.scene = scene;
      if (pane.root.hidden) continue;
      pane.measure();
      if (!scene) {
        pane.blank();
        continue;
      }
      const painted = pane.draw(scene);
      if (!painted) this.load(scene.content, scene.slice ?? 0);
      ready &&= painted;
      this.write(pane, scene, painted);
      this.drawOver(pane, scene);
    }
    this.viewer.drawn(ready);
    if (ready) this.loadRest();
    this.strip.refresh();
  }

  private drawOver(pane: Pane, scene: Scene): void {
    const { viewer } = this;
    const context = pane.cleared();
    if (scene.slice === null) return;
    if (scene.labels && viewer.state.outlined && !scene.change) {
      this.outlines.get(pane)?.draw(context, pane, scene, scene.labels, scene.tinted);
    }
    if (viewer.state.crosshair && this.contents.length > 1) drawCrosshair(context, pane, scene);
    for (const placed of viewer.drawings.placed(scene)) drawPlaced(context, pane, scene, placed);
    if (this.trail?.pane === pane) drawTrail(context, pane, scene, this.trail.spots);
    const brushing = viewer.state.tool === "brush" || viewer.state.tool === "eraser";
    if (brushing && this.hovered?.pane === pane) {
      drawBrush(context, pane, scene, this.hovered.spot, viewer.state.brushMm);
    }
  }

  private write(pane: Pane, scene: Scene, painted: boolean): void {
    const { texts, state } = this.viewer;
    const { picture, before } = scene.content;
    const compared = state.choice.layout === "fade" || state.choice.layout === "change";
    const faded = state.choice.layout === "fade" && before && state.fade < 0.5 ? before : picture;
    const visits = scene.change && before ? `${picture.visit} − ${before.visit}` : faded.visit;
    pane.write("what", `${visits} · ${picture.series}`);
    const count = scene.view.plane.onward.count;
    pane.write("where", scene.slice === null ? "–" : `${scene.slice + 1}/${count}`);
    const { low, high } = scene.window;
    const unit = picture.hasMuscle ? texts.times_muscle : texts.times_bright;
    pane.write("window", `${low.toFixed(2)}–${high.toFixed(2)} ${unit}`);
    pane.scaleShown = scene.change;
    const note = (): string | undefined => {
      if (this.failed.has(picture.id)) return texts.load_failed;
      if (scene.slice === null) return texts.beside_image;
      if (!painted) return texts.loading;
      return (compared && !before) || this.apart(picture) ? texts.not_registered : "";
    };
    pane.write("note", note() ?? "");
  }

  /** Whether a picture stands beside others without sharing their space. */
  private apart(picture: PictureData): boolean {
    return this.contents.some((content) => content !== null && content.picture.space !== picture.space);
  }

  private load({ picture, before }: Content, slice: number): void {
    const onward = this.view(picture).plane.onward.axis;
    for (const wanted of before ? [picture, before] : [picture]) {
      void this.fetch(wanted, onward === 2 ? slice : 0);
    }
  }

  private async fetch(picture: PictureData, slice: number): Promise<void> {
    if (this.failed.has(picture.id)) return;
    try {
      await voxelsOf(picture).load(picture.url, slice, () => this.request());
    } catch {
      this.failed.add(picture.id);
      this.viewer.renew();
    }
    this.request();
  }

  /** With the slice in view painted: the rest of its volumes, then those of the strip. */
  private loadRest(): void {
    const shown = this.contents.flatMap((c) => (c ? [c.picture, ...(c.before ? [c.before] : [])] : []));
    const waiting = [...shown, ...this.strip.pictures()].filter((p) => !voxelsOf(p).complete);
    this.viewer.root.dataset.loaded = String(waiting.length === 0);
    const next = waiting.filter((p) => shown.includes(p));
    for (const picture of next.length > 0 ? next : waiting.slice(0, 1)) {
      void this.fetch(picture, this.view(picture).slice(this.viewer.navigation.gaze(picture)) ?? 0);
    }
  }

  /** Pictures of the strip: one a visit, in the series that is looked at. */
  stripPictures(): PictureData[] {
    const { data, state } = this.viewer;
    return visitsOf(data).flatMap((visit) => pictureOf(data, visit, state.choice.series, false) ?? []);
  }
}
