/** Drawings: measurements and marks, where they lie in a pane, and what they say. */

import type { AnnotationData, AnnotationKind, PictureData, Vec3 } from "./contract.ts";
import type { View } from "./linked.ts";
import { type Reading, reading } from "./measure.ts";
import type { Placed } from "./overlay.ts";
import type { Scene } from "./pane.ts";
import { voxelsOf } from "./voxels.ts";

/** What drawings need of the viewer. */
export interface Board {
  pictures(): readonly PictureData[];
  /** A picture in the plane that is looked at. */
  view(picture: PictureData): View;
  /** Python must hear what is drawn now. */
  changed(items: readonly AnnotationData[]): void;
  render(): void;
}

export class Drawings {
  private items: AnnotationData[];
  private selected: string | null = null;
  /** Being drawn, not yet kept. */
  private sketched: AnnotationData | null = null;
  private readonly board: Board;

  constructor(items: readonly AnnotationData[], board: Board) {
    this.items = [...items];
    this.board = board;
  }

  /** Show what would be drawn; no points, nothing. */
  sketch(scene: Scene, kind: AnnotationKind, points: Vec3[]): void {
    this.sketched = points.length > 0 ? made(scene, kind, points) : null;
    this.board.render();
  }

  /** Draw, for good. */
  add(scene: Scene, kind: AnnotationKind, points: Vec3[]): void {
    this.sketched = null;
    if (scene.slice === null) return;
    const drawing = made(scene, kind, points);
    this.items = [...this.items, drawing];
    this.selected = drawing.id;
    this.announce();
  }

  select(id: string | null): void {
    this.selected = id;
    this.board.render();
  }

  deleteSelected(): void {
    const kept = this.items.filter((item) => item.id !== this.selected);
    if (kept.length === this.items.length) return;
    this.items = kept;
    this.selected = null;
    this.announce();
  }

  /** Change a drawing's points while it is dragged; `announce` ends it. */
  reshape(id: string, change: (points: Vec3[]) => Vec3[]): void {
    this.items = this.items.map((item) => (item.id === id ? { ...item, points: change(item.points) } : item));
    this.board.render();
  }

  announce(): void {
    this.board.changed(this.items);
    this.board.render();
  }

  /** The drawings that lie in a scene's slice, the selected one last (on top). */
  placed(scene: Scene): Placed[] {
    const all = this.sketched ? [...this.items, this.sketched] : this.items;
    const here = all.flatMap((item) => this.place(item, scene) ?? []);
    return here.sort((a, b) => Number(a.selected) - Number(b.selected));
  }

  /** Number of a mark among the marks, as the form refers to it; a new one gets the next. */
  private number(drawing: AnnotationData): number {
    const marks = this.items.filter((item) => item.kind === "focus");
    const at = marks.findIndex((item) => item.id === drawing.id);
    return (at < 0 ? marks.length : at) + 1;
  }

  private place(drawing: AnnotationData, scene: Scene): Placed | null {
    const own = this.board.pictures().find((picture) => picture.key === drawing.picture);
    const shown = scene.view.picture;
    if (!own || drawing.plane !== scene.view.plane.name) return null;
    // The same series of the same visit, as acquired or resampled, shows it at the same place.
    if (own.visit !== shown.visit || own.series !== shown.series || own.space !== shown.space) return null;
    const source = this.board.view(own);
    const pixels = drawing.points.map((point) => scene.view.pixel(source.shared(point)));
    if (pixels.some((pixel) => Math.round(pixel.slice) !== scene.slice)) return null;
    const selected = drawing.id === this.selected;
    return { drawing, spots: pixels, text: this.words(drawing, own, source), selected };
  }

  private words(drawing: AnnotationData, picture: PictureData, view: View): string[] {
    const said = inWords(reading(drawing, picture, view.grid, voxelsOf(picture).data));
    return drawing.kind === "focus" ? [`#${this.number(drawing)}`, ...said] : said;
  }
}

/** A drawing on the slice of a scene, with a name of its own. */
function made(scene: Scene, kind: AnnotationKind, points: Vec3[]): AnnotationData {
  const random = crypto.getRandomValues(new Uint8Array(8));
  const id = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const { picture, plane } = scene.view;
  return { id, kind, picture: picture.key, plane: plane.name, slice: (scene.slice ?? 0) + 1, points };
}

/** A reading in words: mm, mm², and multiples (×) of reference muscle, else the intensity. */
function inWords(is: Reading): string[] {
  const lines: string[] = [];
  if (is.lengthMm !== undefined) lines.push(`${is.lengthMm.toFixed(1)} mm`);
  const spread = is.areaMm2 !== undefined;
  if (is.ratio !== undefined) lines.push(`×${is.ratio.toFixed(2)}${spread ? ` ± ${is.ratioSd?.toFixed(2)}` : ""}`);
  if (is.mean !== undefined) lines.push(`${is.mean.toFixed(0)}${spread ? ` ± ${is.sd?.toFixed(0)}` : ""}`);
  if (is.areaMm2 !== undefined) lines.push(`${is.areaMm2.toFixed(0)} mm²`);
  return lines;
}
