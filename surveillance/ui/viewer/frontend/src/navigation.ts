/** Navigation: slices, zoom and place, for the active picture and all that are linked to it. */

import type { PictureData, Vec3 } from "./contract.ts";
import { clamp, linkedGridOf } from "./grid.ts";
import { type Gaze, Gazes } from "./linked.ts";
import type { Pane, Scene, Spot } from "./pane.ts";

const ZOOM_LEAST = 0.5;
const ZOOM_MOST = 20;

export class Navigation {
  private readonly gazes = new Gazes();
  /** The pane keys act on, and its scene. */
  private readonly active: () => { pane: Pane; scene: Scene | null };
  private readonly moved: () => void;

  constructor(active: () => { pane: Pane; scene: Scene | null }, moved: () => void) {
    this.active = active;
    this.moved = moved;
  }

  get linked(): boolean {
    return this.gazes.linked;
  }

  gaze(picture: PictureData): Gaze {
    return this.gazes.of(picture, () => start(picture));
  }

  toggleLink(): void {
    const { scene } = this.active();
    if (scene) this.gazes.toggle(scene.view.picture, scene.gaze);
  }

  scroll(steps: number): void {
    const { scene } = this.active();
    if (scene) this.look(scene, scene.view.scrolled(scene.gaze, steps));
  }

  /** Zoom; the place under `at` stays where it is. */
  zoom(factor: number, at?: Spot): void {
    const { pane, scene } = this.active();
    if (!scene) return;
    const fixed = at ?? { x: pane.size.x / 2, y: pane.size.y / 2 };
    const before = pane.toSpot(scene, fixed);
    const gaze = { ...scene.gaze, zoom: clamp(scene.gaze.zoom * factor, ZOOM_LEAST, ZOOM_MOST) };
    const after = pane.toSpot({ ...scene, gaze }, fixed);
    this.centre(scene, gaze, before.x - after.x, before.y - after.y);
  }

  /** Move the picture by screen pixels. */
  pan(pane: Pane, scene: Scene, dx: number, dy: number): void {
    const scale = pane.scale(scene);
    this.centre(scene, scene.gaze, -dx / scale.x, -dy / scale.y);
  }

  /** Set the crosshair. */
  point(scene: Scene, spot: Spot): void {
    if (scene.slice === null) return;
    this.look(scene, { ...scene.gaze, cursor: scene.view.sharedAt(scene.slice, spot.x, spot.y) });
  }

  /** The whole image. */
  fit(): void {
    const { scene } = this.active();
    if (scene) this.look(scene, { ...scene.gaze, centre: null, zoom: 1 });
  }

  private centre(scene: Scene, gaze: Gaze, dx: number, dy: number): void {
    const middle = scene.view.middle(gaze);
    const centre = scene.view.sharedAt(scene.slice ?? 0, middle.x + dx, middle.y + dy);
    this.look(scene, { ...gaze, centre });
  }

  private look(scene: Scene, gaze: Gaze): void {
    this.gazes.set(scene.view.picture, gaze);
    this.moved();
  }
}

/** Where to look first: the middle of the graft, else of the image. */
function start(picture: PictureData): Vec3 {
  const grid = linkedGridOf(picture);
  return picture.start ? grid.toWorld(picture.start) : grid.centre;
}
