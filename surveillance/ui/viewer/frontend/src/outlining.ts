/** Outlining: the masks of all pictures, edited by the reader, kept by Python. */

import { Autosave, type SaveState } from "./autosave.ts";
import type { Host, LayerData, LayerName, PictureData, ViewerData } from "./contract.ts";
import { Editing } from "./editing.ts";
import type { History } from "./history.ts";
import { PictureMasks, tabMemory } from "./masks.ts";
import type { Scene, Spot } from "./pane.ts";

/** What outlining needs of the viewer. */
export interface Easel {
  host(): Host;
  data(): ViewerData;
  scene(): Scene | null;
  say(word: string): void;
  render(): void;
  /** URLs ended: the page must give new ones. */
  renew(): void;
}

export class Outlining {
  /** The mask that is edited. */
  layer: LayerName = "graft";
  private readonly easel: Easel;
  private readonly masks = new Map<string, PictureMasks>();
  private readonly autosave: Autosave;

  constructor(easel: Easel) {
    this.easel = easel;
    this.autosave = new Autosave({
      host: () => easel.host(),
      masks: (picture) => this.masks.get(picture),
      layerUrl: (picture, layer) => this.data(picture, layer)?.url ?? "",
      changed: () => easel.render(),
    });
  }

  stop(): void {
    this.autosave.stop();
  }

  /** Take over the server's masks where they changed; send what it does not have. */
  async sync(): Promise<void> {
    const { memory, pictures } = this.easel.data();
    for (const picture of pictures.filter((p) => p.layers.length > 0)) {
      const masks = this.masks.get(picture.key) ?? new PictureMasks(picture, tabMemory(memory));
      this.masks.set(picture.key, masks);
      try {
        if (await masks.sync(picture.layers)) this.easel.say("");
      } catch {
        this.easel.renew();
      }
      for (const layer of masks.layers) {
        if (masks.history(layer)?.unsaved) this.autosave.touch(picture.key, layer);
      }
    }
    this.autosave.heard();
  }

  of(picture: PictureData): PictureMasks | undefined {
    return this.masks.get(picture.key);
  }

  private data(picture: string, layer: LayerName): LayerData | undefined {
    const found = this.easel.data().pictures.find((p) => p.key === picture);
    return found?.layers.find((l) => l.layer === layer);
  }

  /** Masks that the active picture carries. */
  carried(): Set<LayerName> {
    return new Set(this.easel.scene()?.view.picture.layers.map((layer) => layer.layer));
  }

  canEdit(layer: LayerName, scene = this.easel.scene()): boolean {
    const picture = scene?.view.picture;
    const editable = picture && this.data(picture.key, layer)?.editable;
    return editable === true && this.easel.data().tools.includes("edit");
  }

  /** Whether the chosen mask of the scene's picture is here and may be edited. */
  ready(scene = this.easel.scene()): boolean {
    return scene !== null && this.canEdit(this.layer, scene) && this.of(scene.view.picture)?.history(this.layer) !== undefined;
  }

  history(): History | undefined {
    const scene = this.easel.scene();
    return scene ? this.of(scene.view.picture)?.history(this.layer) : undefined;
  }

  /** What to edit with; says why when there is nothing. */
  private editing(scene: Scene | null): Editing | null {
    const masks = scene && this.of(scene.view.picture);
    if (scene && masks && this.ready(scene)) return new Editing(masks, this.layer, scene.view);
    this.easel.say("edit_native");
    return null;
  }

  startStroke(scene: Scene, diameterMm: number, on: boolean): ReturnType<Editing["brush"]> | undefined {
    return scene.slice === null ? undefined : this.editing(scene)?.brush(scene.slice, diameterMm, on);
  }

  fill(scene: Scene, spot: Spot): void {
    const editing = scene.slice === null ? null : this.editing(scene);
    if (!editing) return;
    if (editing.fill(scene.slice ?? 0, spot)) this.edited(scene);
    else this.easel.say("not_closed");
  }

  /** Act on all slices of the mask. */
  act(name: "interpolate" | "smooth"): void {
    const scene = this.easel.scene();
    const editing = this.editing(scene);
    if (!editing || !scene) return;
    if (editing[name]()) this.edited(scene);
    else this.easel.say("nothing_changed");
  }

  wind(way: "undo" | "redo"): void {
    const scene = this.easel.scene();
    if (scene && this.ready(scene) && this.of(scene.view.picture)?.[way](this.layer)) this.edited(scene);
  }

  edited(scene: Scene): void {
    this.autosave.touch(scene.view.picture.key, this.layer);
  }

  /** What to say about saving; null when nothing can be edited. */
  saveState(): SaveState | null {
    const { pictures, tools } = this.easel.data();
    const editable = pictures.some((p) => p.layers.some((layer) => layer.editable));
    return editable && tools.includes("edit") ? this.autosave.state : null;
  }

  retry(): void {
    this.autosave.retry();
  }
}
