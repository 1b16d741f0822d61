/** Labels: the masks of one picture, a bit each, and how a mask travels. */

import type { LayerName, Vec3 } from "./contract.ts";
import { bitOf } from "./paint.ts";

export class Labels {
  readonly shape: Vec3;
  /** Bits of all masks, i fastest. */
  readonly data: Uint8Array;
  /** Grows with every change, so that drawings know when they are old. */
  version = 0;

  constructor(shape: Vec3) {
    this.shape = shape;
    this.data = new Uint8Array(shape[0] * shape[1] * shape[2]);
  }

  /** Whole bytes of one mask, the first voxel in the lowest bit (bits.py). */
  packed(layer: LayerName): Uint8Array<ArrayBuffer> {
    const bit = bitOf(layer);
    const shift = 31 - Math.clz32(bit);
    const { data } = this;
    const bytes = new Uint8Array((data.length + 7) >> 3);
    for (let n = 0; n < data.length; n++) bytes[n >> 3] |= ((data[n] & bit) >> shift) << (n & 7);
    return bytes;
  }

  /** Replace one mask; return the voxels that changed, in order. */
  replace(layer: LayerName, packed: Uint8Array): number[] {
    const bit = bitOf(layer);
    const { data } = this;
    const changed: number[] = [];
    for (let n = 0; n < data.length; n++) {
      const on = (packed[n >> 3] >> (n & 7)) & 1 ? bit : 0;
      if ((data[n] & bit) !== on) {
        data[n] ^= bit;
        changed.push(n);
      }
    }
    this.version++;
    return changed;
  }

  /** Middle of a mask as a voxel index, null when it is empty. */
  middle(layer: LayerName): Vec3 | null {
    const bit = bitOf(layer);
    const [ni, nj] = this.shape;
    let count = 0;
    const sum: Vec3 = [0, 0, 0];
    for (let n = 0; n < this.data.length; n++) {
      if (!(this.data[n] & bit)) continue;
      count++;
      sum[0] += n % ni;
      sum[1] += Math.floor(n / ni) % nj;
      sum[2] += Math.floor(n / (ni * nj));
    }
    return count === 0 ? null : (sum.map((s) => s / count) as Vec3);
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 as zlib computes it. */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let n = 0; n < bytes.length; n++) c = CRC_TABLE[(c ^ bytes[n]) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

export async function deflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let n = 0; n < bytes.length; n += 8192) {
    text += String.fromCharCode(...bytes.subarray(n, n + 8192));
  }
  return btoa(text);
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
