/** Labels: the masks of one picture, a bit each, and how a mask travels. */

import type { LayerName, Vec3 } from "./contract.ts";
import { bitOf } from "./paint.ts";

export class Labels {
  readonly shape: Vec3;
  /** Bits of all masks, i fastest. */
  readonly data: Uint8Array;
  /** Grows with every change, so that drawings know when they are old. */
  version = 0;
  /** The same bits, four voxels a word: masks are sparse, and empty words are skipped. */
  private readonly words: Uint32Array;

  constructor(shape: Vec3) {
    this.shape = shape;
    const voxels = shape[0] * shape[1] * shape[2];
    const whole = new ArrayBuffer(Math.ceil(voxels / 8) * 8);
    this.data = new Uint8Array(whole, 0, voxels);
    this.words = new Uint32Array(whole);
  }

  /** Whether the eight voxels of a packed byte have the bit nowhere. */
  private empty(byte: number, bit: number): boolean {
    const four = bit * 0x01010101;
    return ((this.words[2 * byte] | this.words[2 * byte + 1]) & four) === 0;
  }

  /** Whole bytes of one mask, the first voxel in the lowest bit (bits.py). */
  packed(layer: LayerName): Uint8Array<ArrayBuffer> {
    const bit = bitOf(layer);
    const shift = 31 - Math.clz32(bit);
    const { data } = this;
    const bytes = new Uint8Array((data.length + 7) >> 3);
    for (let byte = 0; byte < bytes.length; byte++) {
      if (this.empty(byte, bit)) continue;
      for (let n = 8 * byte; n < Math.min(8 * byte + 8, data.length); n++) {
        bytes[byte] |= ((data[n] & bit) >> shift) << (n & 7);
      }
    }
    return bytes;
  }

  /** Replace one mask; return the voxels that changed, in order. */
  replace(layer: LayerName, packed: Uint8Array): number[] {
    const bit = bitOf(layer);
    const { data } = this;
    const changed: number[] = [];
    for (let byte = 0; byte < packed.length; byte++) {
      if (packed[byte] === 0 && this.empty(byte, bit)) continue;
      for (let n = 8 * byte; n < Math.min(8 * byte + 8, data.length); n++) {
        const on = (packed[byte] >> (n & 7)) & 1 ? bit : 0;
        if ((data[n] & bit) === on) continue;
        data[n] ^= bit;
        changed.push(n);
      }
    }
    this.version++;
    return changed;
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
