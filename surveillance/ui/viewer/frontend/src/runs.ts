/** Runs: a set of voxels as [start, length, start, length, …], rising and apart. */

import { base64, fromBase64 } from "./labels.ts";

export type Runs = readonly number[];

/** Runs of voxel numbers, each given once, in any order. */
export function runsOf(voxels: number[]): Runs {
  const sorted = Int32Array.from(voxels).sort();
  const runs: number[] = [];
  let end = -1;
  for (const voxel of sorted) {
    if (voxel === end) runs[runs.length - 1]++;
    else runs.push(voxel, 1);
    end = voxel + 1;
  }
  return runs;
}

/** Flip `bit` of the voxels of `runs`. */
export function flip(labels: Uint8Array, runs: Runs, bit: number): void {
  for (let r = 0; r < runs.length; r += 2) {
    for (let n = runs[r]; n < runs[r] + runs[r + 1]; n++) labels[n] ^= bit;
  }
}

/** The voxels that lie in one of the two sets but not in both. */
export function difference(a: Runs, b: Runs): Runs {
  const edges = [...borders(a), ...borders(b)].sort((x, y) => x - y);
  const runs: number[] = [];
  for (let n = 0; n + 1 < edges.length; n += 2) {
    if (edges[n] === edges[n + 1]) continue;
    const last = runs.length - 2;
    if (last >= 0 && runs[last] + runs[last + 1] === edges[n]) runs[last + 1] += edges[n + 1] - edges[n];
    else runs.push(edges[n], edges[n + 1] - edges[n]);
  }
  return runs;
}

function borders(runs: Runs): number[] {
  return runs.map((value, n) => (n % 2 ? runs[n - 1] + value : value));
}

/** Seven bits a byte, gaps instead of starts: a stroke is a few hundred bytes. */
export function packedRuns(runs: Runs): string {
  const bytes: number[] = [];
  let end = 0;
  for (let r = 0; r < runs.length; r += 2) {
    pushNumber(bytes, runs[r] - end);
    pushNumber(bytes, runs[r + 1]);
    end = runs[r] + runs[r + 1];
  }
  return base64(Uint8Array.from(bytes));
}

export function unpackedRuns(text: string): Runs {
  const numbers: number[] = [];
  let value = 0;
  let shift = 1;
  for (const byte of fromBase64(text)) {
    value += (byte & 127) * shift;
    shift *= 128;
    if (byte & 128) continue;
    numbers.push(value);
    value = 0;
    shift = 1;
  }
  let end = 0;
  return numbers.map((number, n) => {
    if (n % 2) {
      end += number;
      return number;
    }
    end += number;
    return end;
  });
}

function pushNumber(bytes: number[], value: number): void {
  while (value > 127) {
    bytes.push((value & 127) | 128);
    value = Math.floor(value / 128);
  }
  bytes.push(value);
}
