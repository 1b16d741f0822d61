/** Overlay: what is drawn over the image, in lines of the screen's own width. */

import type { AnnotationData } from "./contract.ts";
import type { Labels } from "./labels.ts";
import { outlineOf } from "./outline.ts";
import { bitOf, LAYER_COLOURS, LAYERS } from "./paint.ts";
import type { Pane, Scene, Spot } from "./pane.ts";
import { copySlice, stepsOf } from "./slice.ts";

export const ANNOTATION_COLOUR = "#f0e442";
const SELECTED_COLOUR = "#ffffff";
const GAP_PX = 14;

/** Segments of the masks of one slice, kept while the slice and the masks stay. */
export class Outlines {
  private key = "";
  private segments: number[][] = [];

  draw(context: CanvasRenderingContext2D, pane: Pane, scene: Scene, labels: Labels, shown: number): void {
    if (scene.slice === null) return;
    this.refresh(scene, labels, scene.slice);
    const scale = pane.scale(scene);
    const zero = pane.toScreen(scene, { x: 0, y: 0 });
    // The graft last: it lies inside a muscle and must not be hidden by it.
    for (const layer of [...LAYERS].reverse()) {
      if (!(bitOf(layer) & shown)) continue;
      const segments = this.segments[LAYERS.indexOf(layer)];
      context.beginPath();
      for (let n = 0; n < segments.length; n += 4) {
        context.moveTo(zero.x + segments[n] * scale.x, zero.y + segments[n + 1] * scale.y);
        context.lineTo(zero.x + segments[n + 2] * scale.x, zero.y + segments[n + 3] * scale.y);
      }
      context.strokeStyle = `rgb(${LAYER_COLOURS[layer].join()})`;
      context.lineWidth = 1.5;
      context.lineCap = "square";
      context.stroke();
    }
  }

  private refresh({ view }: Scene, labels: Labels, slice: number): void {
    const key = [view.picture.key, view.plane.name, slice, labels.version].join();
    if (key === this.key) return;
    this.key = key;
    const steps = stepsOf(labels.shape, view.plane, slice);
    const mask = new Uint8Array(steps.width * steps.height);
    copySlice(labels.data, steps, mask);
    this.segments = LAYERS.map((layer) => outlineOf(mask, bitOf(layer), steps.width, steps.height));
  }
}

/** A thin cross with a gap, so that what it points at stays visible. */
export function drawCrosshair(context: CanvasRenderingContext2D, pane: Pane, scene: Scene): void {
  const { x, y } = pane.toScreen(scene, scene.view.pixel(scene.gaze.cursor));
  const { x: width, y: height } = pane.size;
  context.beginPath();
  for (const [x1, y1, x2, y2] of [
    [0, y, x - GAP_PX, y], [x + GAP_PX, y, width, y], [x, 0, x, y - GAP_PX], [x, y + GAP_PX, x, height],
  ]) {
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
  }
  context.strokeStyle = "rgba(120, 220, 255, 0.55)";
  context.lineWidth = 1;
  context.stroke();
}

/** The brush under the pointer, as large as what it will cover. */
export function drawBrush(context: CanvasRenderingContext2D, pane: Pane, scene: Scene, spot: Spot, mm: number): void {
  const at = pane.toScreen(scene, spot);
  const scale = pane.scale(scene);
  const { right, down } = scene.view.plane;
  context.beginPath();
  const radiusX = (mm / 2 / right.spacing) * scale.x;
  const radiusY = (mm / 2 / down.spacing) * scale.y;
  context.ellipse(at.x, at.y, Math.max(1, radiusX), Math.max(1, radiusY), 0, 0, 2 * Math.PI);
  context.strokeStyle = "rgba(255, 255, 255, 0.9)";
  context.lineWidth = 1;
  context.stroke();
}

/** A line the reader is drawing. */
export function drawTrail(context: CanvasRenderingContext2D, pane: Pane, scene: Scene, spots: readonly Spot[]): void {
  context.beginPath();
  for (const spot of spots) {
    const at = pane.toScreen(scene, spot);
    context.lineTo(at.x, at.y);
  }
  context.strokeStyle = ANNOTATION_COLOUR;
  context.lineWidth = 2;
  context.stroke();
}

/** A drawing as it lies in a pane's slice, with what it says. */
export interface Placed {
  drawing: AnnotationData;
  spots: Spot[];
  text: string[];
  selected: boolean;
}

export function drawPlaced(context: CanvasRenderingContext2D, pane: Pane, scene: Scene, placed: Placed): void {
  const points = placed.spots.map((spot) => pane.toScreen(scene, spot));
  context.strokeStyle = context.fillStyle = placed.selected ? SELECTED_COLOUR : ANNOTATION_COLOUR;
  context.lineWidth = 1.5;
  context.beginPath();
  const [a, b] = points;
  switch (placed.drawing.kind) {
    case "length":
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
      for (const end of [a, b]) tick(context, end, a, b);
      break;
    case "ellipse":
      context.ellipse((a.x + b.x) / 2, (a.y + b.y) / 2, Math.abs(a.x - b.x) / 2, Math.abs(a.y - b.y) / 2, 0, 0, 2 * Math.PI);
      break;
    case "value":
      cross(context, a, 5);
      break;
    case "focus":
      context.arc(a.x, a.y, 9, 0, 2 * Math.PI);
      cross(context, a, 3);
      break;
  }
  context.stroke();
  label(context, placed.text, wordsAt(placed.drawing.kind, points), pane.size);
}

function tick(context: CanvasRenderingContext2D, at: Spot, a: Spot, b: Spot): void {
  const size = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const across = { x: (-(b.y - a.y) / size) * 5, y: ((b.x - a.x) / size) * 5 };
  context.moveTo(at.x - across.x, at.y - across.y);
  context.lineTo(at.x + across.x, at.y + across.y);
}

function cross(context: CanvasRenderingContext2D, at: Spot, arm: number): void {
  context.moveTo(at.x - arm, at.y);
  context.lineTo(at.x + arm, at.y);
  context.moveTo(at.x, at.y - arm);
  context.lineTo(at.x, at.y + arm);
}

/** Where a drawing's words stand: beside its right end, or the right edge of an ellipse. */
function wordsAt(kind: AnnotationData["kind"], points: readonly Spot[]): Spot {
  const right = points.reduce((best, point) => (point.x > best.x ? point : best));
  const middle = points.reduce((sum, point) => sum + point.y, 0) / points.length;
  return kind === "ellipse" ? { x: right.x, y: middle } : right;
}

const LINE_PX = 14;

/** Text on a dark plate beside a point, kept inside the pane. */
function label(context: CanvasRenderingContext2D, lines: readonly string[], at: Spot, pane: Spot): void {
  if (lines.length === 0) return;
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "top";
  const width = Math.max(...lines.map((line) => context.measureText(line).width)) + 8;
  const height = lines.length * LINE_PX + 4;
  const x = Math.max(0, Math.min(at.x + 12, pane.x - width));
  const y = Math.max(0, Math.min(at.y - height / 2, pane.y - height));
  const colour = context.fillStyle;
  context.fillStyle = "rgba(0, 0, 0, 0.65)";
  context.fillRect(x, y, width, height);
  context.fillStyle = colour;
  lines.forEach((line, n) => context.fillText(line, x + 4, y + 3 + n * LINE_PX));
}
