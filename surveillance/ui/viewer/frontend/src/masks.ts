/** Masks: the masks of one picture, their steps, and what the server has of them. */

import type { LayerData, LayerName, PictureData } from "./contract.ts";
import { History, type Remembered } from "./history.ts";
import { Labels } from "./labels.ts";
import { bitOf } from "./paint.ts";
import { flip, type Runs, runsOf } from "./runs.ts";
import { fetched } from "./voxels.ts";

/** Where steps are kept between page loads. */
export interface Memory {
  read(name: string): Remembered | null;
  write(name: string, value: Remembered): void;
}

export class PictureMasks {
  readonly labels: Labels;
  private readonly picture: string;
  private readonly memory: Memory;
  private readonly histories = new Map<LayerName, History>();
  private readonly loading = new Map<LayerName, number>();

  constructor(picture: PictureData, memory: Memory) {
    this.picture = picture.key;
    this.labels = new Labels(picture.shape);
    this.memory = memory;
  }

  history(layer: LayerName): History | undefined {
    return this.histories.get(layer);
  }

  /** Layers whose masks are here. */
  get layers(): LayerName[] {
    return [...this.histories.keys()];
  }

  /** Take over what the server has now: true when a mask changed. */
  async sync(layers: readonly LayerData[]): Promise<boolean> {
    const changes = await Promise.all(layers.map((layer) => this.syncLayer(layer)));
    return changes.some((changed) => changed);
  }

  private async syncLayer({ layer, check, url }: LayerData): Promise<boolean> {
    const known = this.histories.get(layer);
    if (known?.confirmed(check)) {
      this.remember(layer);
      return false;
    }
    if (this.loading.get(layer) === check) return false;
    this.loading.set(layer, check);
    try {
      const packed = new Uint8Array(await fetched(url));
      if (this.loading.get(layer) !== check) return false; // a newer one is on its way
      this.take(layer, check, packed);
    } finally {
      if (this.loading.get(layer) === check) this.loading.delete(layer);
    }
    return true;
  }

  private take(layer: LayerName, check: number, packed: Uint8Array): void {
    const changed = runsOf(this.labels.replace(layer, packed));
    const known = this.histories.get(layer);
    if (known) {
      known.record(changed);
      known.adopted(check);
    } else {
      const stored = this.memory.read(this.name(layer));
      const earlier = stored && History.remembered(stored, check);
      if (earlier) this.flip(layer, earlier.flips);
      this.histories.set(layer, earlier?.history ?? new History(check));
    }
    this.remember(layer);
  }

  /** Do one step: flip these voxels. */
  step(layer: LayerName, voxels: number[]): void {
    const runs = runsOf(voxels);
    this.flip(layer, runs);
    this.record(layer, runs);
  }

  /** A step whose voxels were flipped while it was drawn. */
  record(layer: LayerName, runs: Runs): void {
    this.histories.get(layer)?.record(runs);
    this.remember(layer);
  }

  undo(layer: LayerName): boolean {
    return this.wind(layer, this.histories.get(layer)?.undo());
  }

  redo(layer: LayerName): boolean {
    return this.wind(layer, this.histories.get(layer)?.redo());
  }

  /** Keep the steps for the next page load. */
  remember(layer: LayerName): void {
    const history = this.histories.get(layer);
    if (history) this.memory.write(this.name(layer), history.toJSON());
  }

  private wind(layer: LayerName, runs: Runs | null | undefined): boolean {
    if (!runs) return false;
    this.flip(layer, runs);
    this.remember(layer);
    return true;
  }

  private flip(layer: LayerName, runs: Runs): void {
    flip(this.labels.data, runs, bitOf(layer));
    this.labels.version++;
  }

  private name(layer: LayerName): string {
    return `${this.picture}/${layer}`;
  }
}

/** The tab's own storage: survives a reload, not the tab. Full or forbidden storage keeps nothing. */
export function tabMemory(owner: string): Memory {
  const key = (name: string): string => `graftsite/${owner}/${name}`;
  return {
    read(name) {
      try {
        return JSON.parse(sessionStorage.getItem(key(name)) ?? "null") as Remembered | null;
      } catch {
        return null;
      }
    },
    write(name, value) {
      try {
        sessionStorage.setItem(key(name), JSON.stringify(value));
      } catch {
        sessionStorage.removeItem(key(name));
      }
    },
  };
}
