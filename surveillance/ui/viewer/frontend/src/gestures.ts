/** Gestures: what the pointer does in a pane, from press to release. */

import type { AnnotationKind, Vec3 } from "./contract.ts";
import { dragged } from "./grey.ts";
import { distance } from "./grid.ts";
import { pixelOf } from "./slice.ts";
import type { Pane, Scene, Spot } from "./pane.ts";
import { windowOf } from "./state.ts";
import type { Viewer } from "./viewer.ts";

/** Screen pixels a hand may shake without dragging. */
const STILL_PX = 4;
const GRAB_PX = 8;

export interface Gesture {
  move(at: Spot, previous: Spot): void;
  end(at: Spot, still: boolean): void;
  /** Given up half way. */
  drop?(): void;
}

/** Listen to a pane's pointer for as long as the pane lives. */
export function listen(pane: Pane, viewer: Viewer): void {
  const { overlay } = pane;
  const place = (event: MouseEvent): Spot => {
    const box = overlay.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  let gesture: Gesture | null = null;
  let start: Spot = { x: 0, y: 0 };
  let last = start;
  let still = true;
  overlay.addEventListener("pointerdown", (event) => {
    viewer.focus(pane);
    if (!pane.scene || gesture) return;
    event.preventDefault();
    overlay.setPointerCapture(event.pointerId);
    start = last = place(event);
    still = true;
    gesture = begin(viewer, pane, pane.scene, start, event);
  });
  overlay.addEventListener("pointermove", (event) => {
    const at = place(event);
    viewer.hover(pane, at);
    if (!gesture) return;
    still &&= Math.hypot(at.x - start.x, at.y - start.y) < STILL_PX;
    gesture.move(at, last);
    last = at;
  });
  overlay.addEventListener("pointerup", (event) => {
    gesture?.end(place(event), still);
    gesture = null;
  });
  overlay.addEventListener("pointercancel", () => {
    gesture?.drop?.();
    gesture = null;
  });
  overlay.addEventListener("pointerleave", () => viewer.hover(null, null));
  overlay.addEventListener("contextmenu", (event) => event.preventDefault());
  overlay.addEventListener("wheel", (event) => wheel(event, viewer, pane, place(event)), { passive: false });
}

let wheelRest = 0;

/** A notch is a slice; a touch pad's small steps add up to one. */
function wheel(event: WheelEvent, viewer: Viewer, pane: Pane, at: Spot): void {
  event.preventDefault();
  viewer.activate(pane);
  if (event.ctrlKey || event.metaKey) {
    viewer.navigation.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, at);
    return;
  }
  const notches = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY / 100 : event.deltaY / 3;
  wheelRest += Math.abs(notches) >= 0.5 ? Math.sign(notches) * Math.max(1, Math.round(Math.abs(notches))) : notches;
  const steps = Math.trunc(wheelRest);
  wheelRest -= steps;
  if (steps !== 0) viewer.navigation.scroll(steps);
}

function begin(viewer: Viewer, pane: Pane, scene: Scene, at: Spot, event: PointerEvent): Gesture {
  if (event.button === 1 || (event.button === 0 && event.shiftKey)) return pan(viewer, pane, scene);
  if (event.button === 2) return windowing(viewer, pane, scene);
  const grabbed = viewer.state.tool === "window" ? grab(viewer, pane, scene, at) : null;
  if (grabbed) return grabbed;
  switch (viewer.state.tool) {
    case "window":
      return windowing(viewer, pane, scene);
    case "pan":
      return pan(viewer, pane, scene);
    case "length":
    case "ellipse":
      return twoPoints(viewer, pane, scene, at, viewer.state.tool);
    case "value":
    case "focus":
      return onePoint(viewer, pane, scene, viewer.state.tool);
    case "seed":
    case "stroke":
      return seed(viewer, pane, scene, at);
    case "brush":
    case "eraser":
      return brush(viewer, pane, scene, at, (viewer.state.tool === "brush") !== event.altKey);
    case "fill":
      return { move: () => undefined, end: (end) => viewer.outlining.fill(scene, pane.toSpot(scene, end)) };
  }
}

/** Drag changes the window, a click sets the crosshair. */
function windowing(viewer: Viewer, pane: Pane, scene: Scene): Gesture {
  const { series } = scene.view.picture;
  return {
    move: (at, previous) => {
      const window = windowOf(viewer.state, viewer.data, series);
      viewer.setWindow(series, dragged(window, at.x - previous.x, at.y - previous.y));
    },
    end: (at, still) => {
      if (still) viewer.navigation.point(scene, pane.toSpot(scene, at));
    },
  };
}

function pan(viewer: Viewer, pane: Pane, scene: Scene): Gesture {
  return {
    move: (at, previous) => {
      viewer.navigation.pan(pane, pane.scene ?? scene, at.x - previous.x, at.y - previous.y);
    },
    end: () => undefined,
  };
}

/** The patient's point under a place of the screen. */
function pointAt(pane: Pane, scene: Scene, at: Spot): Vec3 {
  const spot = pane.toSpot(scene, at);
  return scene.view.pointAt(scene.slice ?? 0, spot.x, spot.y);
}

function twoPoints(viewer: Viewer, pane: Pane, scene: Scene, at: Spot, kind: AnnotationKind): Gesture {
  const first = pointAt(pane, scene, at);
  const drawing = (end: Spot): Vec3[] => [first, pointAt(pane, scene, end)];
  return {
    move: (end) => viewer.drawings.sketch(scene, kind, drawing(end)),
    end: (end, still) => (still ? viewer.drawings.sketch(scene, kind, []) : viewer.drawings.add(scene, kind, drawing(end))),
    drop: () => viewer.drawings.sketch(scene, kind, []),
  };
}

function onePoint(viewer: Viewer, pane: Pane, scene: Scene, kind: AnnotationKind): Gesture {
  return {
    move: () => undefined,
    end: (end) => viewer.drawings.add(scene, kind, [pointAt(pane, scene, end)]),
  };
}

/** A click is one point; a stroke is its points, about a millimetre apart. */
function seed(viewer: Viewer, pane: Pane, scene: Scene, at: Spot): Gesture {
  const points: Vec3[] = [pointAt(pane, scene, at)];
  const spots: Spot[] = [pane.toSpot(scene, at)];
  const drawn = viewer.state.tool === "stroke";
  return {
    move: (next) => {
      const point = pointAt(pane, scene, next);
      if (!drawn || distance(point, points[points.length - 1]) < 1) return;
      points.push(point);
      spots.push(pane.toSpot(scene, next));
      viewer.trail(pane, spots);
    },
    end: () => viewer.seed(scene, points.slice(0, 2000)),
    drop: () => viewer.trail(pane, []),
  };
}

function brush(viewer: Viewer, pane: Pane, scene: Scene, at: Spot, on: boolean): Gesture {
  const stroke = viewer.outlining.startStroke(scene, viewer.state.brushMm, on);
  let from = pane.toSpot(scene, at);
  stroke?.move(from, from);
  viewer.render();
  return {
    move: (next) => {
      const to = pane.toSpot(scene, next);
      stroke?.move(from, to);
      from = to;
      viewer.render();
    },
    end: () => {
      if (stroke?.end()) viewer.outlining.edited(scene);
    },
    drop: () => {
      if (stroke?.end()) viewer.outlining.edited(scene);
    },
  };
}

/** Take hold of a drawing, or of one end of it. */
function grab(viewer: Viewer, pane: Pane, scene: Scene, at: Spot): Gesture | null {
  for (const { drawing, spots } of viewer.drawings.placed(scene).reverse()) {
    const ends = spots.map((spot) => pane.toScreen(scene, spot));
    const end = ends.findIndex((e) => Math.hypot(e.x - at.x, e.y - at.y) <= GRAB_PX);
    const near = end >= 0 || (drawing.kind === "length" && besideLine(at, ends[0], ends[1]));
    if (!near) continue;
    viewer.drawings.select(drawing.id);
    if (drawing.picture !== scene.view.picture.key) return { move: () => undefined, end: () => undefined };
    return {
      move: (to, from) => viewer.drawings.reshape(drawing.id, (points) => moved(points, end, pane, scene, from, to)),
      end: (_, still) => {
        if (!still) viewer.drawings.announce();
      },
    };
  }
  viewer.drawings.select(null);
  return null;
}

/** Points after a drag: of one end when it was grabbed, else of all. */
function moved(points: Vec3[], end: number, pane: Pane, scene: Scene, from: Spot, to: Spot): Vec3[] {
  if (end >= 0) return points.map((p, n) => (n === end ? pointAt(pane, scene, to) : p));
  const scale = pane.scale(scene);
  return points.map((point) => {
    const { x, y, slice } = pixelOf(scene.view.plane, scene.view.grid.toIndex(point));
    return scene.view.pointAt(slice, x + (to.x - from.x) / scale.x, y + (to.y - from.y) / scale.y);
  });
}

function besideLine(at: Spot, a: Spot, b: Spot): boolean {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = ((at.x - a.x) * dx + (at.y - a.y) * dy) / (dx * dx + dy * dy || 1);
  if (along < 0 || along > 1) return false;
  return Math.hypot(at.x - a.x - along * dx, at.y - a.y - along * dy) <= GRAB_PX / 2;
}
