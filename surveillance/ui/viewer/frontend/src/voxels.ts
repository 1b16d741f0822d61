/**
 * Voxels: volumes that were fetched, kept for the life of the page under the server's random id, so
 * that a rerun, a new layout or a page visited again fetches nothing.
 */

import type { PictureData } from "./contract.ts";
import { OUTSIDE } from "./grey.ts";

/** Volumes that nothing shows are let go, the longest unused first, above this. */
const KEPT_BYTES = 768 << 20;
const AT_ONCE = 2;

export class VoxelError extends Error {}

export class Voxels {
  readonly data: Int16Array;
  private readonly arrived: Uint8Array;
  private readonly slabSlices: number;
  private readonly sliceVoxels: number;
  private loading: Promise<void> | null = null;

  constructor(picture: PictureData) {
    const [i, j, k] = picture.shape;
    this.data = new Int16Array(i * j * k).fill(OUTSIDE);
    this.slabSlices = picture.slabSlices;
    this.sliceVoxels = i * j;
    this.arrived = new Uint8Array(Math.ceil(k / picture.slabSlices));
  }

  /** Whether slice `k` of the array is here. */
  has(k: number): boolean {
    return this.arrived[Math.floor(k / this.slabSlices)] === 1;
  }

  get complete(): boolean {
    return this.arrived.every((slab) => slab === 1);
  }

  get part(): number {
    return this.arrived.reduce((sum, slab) => sum + slab, 0) / this.arrived.length;
  }

  /** Fetch what is missing, the slab of slice `k` first; `onSlab` is called as each arrives. */
  load(url: string, k: number, onSlab: () => void): Promise<void> {
    this.loading ??= this.fetchAll(url, k, onSlab).finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  private async fetchAll(url: string, k: number, onSlab: () => void): Promise<void> {
    const first = k / this.slabSlices - 0.5;
    const missing = [...this.arrived.keys()]
      .filter((slab) => this.arrived[slab] === 0)
      .sort((a, b) => Math.abs(a - first) - Math.abs(b - first));
    const work = async (): Promise<void> => {
      for (let slab = missing.shift(); slab !== undefined; slab = missing.shift()) {
        await this.fetchSlab(url, slab);
        onSlab();
      }
    };
    // The slice that is looked at alone: others would take the server's time from it.
    const urgent = missing.shift();
    if (urgent === undefined) return;
    await this.fetchSlab(url, urgent);
    onSlab();
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  private async fetchSlab(url: string, slab: number): Promise<void> {
    const bytes = await fetched(`${url}?slab=${slab}`);
    const start = slab * this.slabSlices * this.sliceVoxels;
    const voxels = new Int16Array(bytes);
    if (voxels.length !== Math.min(this.slabSlices * this.sliceVoxels, this.data.length - start)) {
      throw new VoxelError("size");
    }
    this.data.set(voxels, start);
    this.arrived[slab] = 1;
  }
}

const kept = new Map<string, Voxels>();

/** The voxels of a picture, perhaps not all here yet. */
export function voxelsOf(picture: PictureData): Voxels {
  const known = kept.get(picture.id);
  const voxels = known ?? new Voxels(picture);
  kept.delete(picture.id);
  kept.set(picture.id, voxels);
  return voxels;
}

/** Let go of what no picture of `hanging` needs, down to the limit. */
export function letGo(hanging: readonly PictureData[]): void {
  const needed = new Set(hanging.map((picture) => picture.id));
  let bytes = [...kept.values()].reduce((sum, voxels) => sum + voxels.data.byteLength, 0);
  for (const [id, voxels] of kept) {
    if (bytes <= KEPT_BYTES) return;
    if (needed.has(id)) continue;
    kept.delete(id);
    bytes -= voxels.data.byteLength;
  }
}

/** Bytes of a guarded URL. An answer other than 200 means it expired or was withdrawn. */
export async function fetched(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store" });
  if (!response.ok) throw new VoxelError(String(response.status));
  return response.arrayBuffer();
}
