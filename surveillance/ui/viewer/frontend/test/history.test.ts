import assert from "node:assert/strict";
import { test } from "node:test";
import { zlib } from "./python.ts";
import { History } from "../src/history.ts";
import { base64, crc32, deflated, fromBase64, Labels } from "../src/labels.ts";
import { difference, flip, packedRuns, type Runs, runsOf, unpackedRuns } from "../src/runs.ts";

/** A mask of 40 voxels that steps are done on, with its history. */
class Mask {
  readonly labels = new Uint8Array(40);
  history = new History(this.check);

  get check(): number {
    return crc32(this.labels);
  }

  step(...voxels: number[]): void {
    const runs = runsOf(voxels);
    flip(this.labels, runs, 1);
    this.history.record(runs);
  }

  wind(way: "undo" | "redo"): void {
    const runs = this.history[way]();
    if (runs) flip(this.labels, runs, 1);
  }

  send(): number {
    this.history.sent(this.check);
    return this.check;
  }

  get inside(): number[] {
    return [...this.labels.keys()].filter((n) => this.labels[n]);
  }

  /** The page is loaded again and the server has `server`: null when the steps are not believed. */
  reloaded(server: Uint8Array): Mask | null {
    const stored = JSON.parse(JSON.stringify(this.history));
    const found = History.remembered(stored, crc32(server));
    if (!found) return null;
    const again = new Mask();
    again.labels.set(server);
    flip(again.labels, found.flips, 1);
    again.history = found.history;
    return again;
  }
}

test("runs hold voxels given in any order", () => {
  assert.deepEqual(runsOf([7, 3, 4, 5, 9]), [3, 3, 7, 1, 9, 1]);
  assert.deepEqual(runsOf([]), []);
});

test("what is in one set and not in both", () => {
  assert.deepEqual(difference([2, 4], [4, 4]), [2, 2, 6, 2]);
  assert.deepEqual(difference([2, 4], [2, 4]), []);
  assert.deepEqual(difference([2, 2], [4, 2]), [2, 4]);
  assert.deepEqual(difference([], [1, 1]), [1, 1]);
});

test("runs survive packing, far voxels too", () => {
  const runs: Runs = [0, 1, 130, 20000, 20_971_519, 1];
  assert.deepEqual(unpackedRuns(packedRuns(runs)), runs);
});

test("steps are undone and done again", () => {
  const mask = new Mask();
  mask.step(1, 2);
  mask.step(2, 3);
  assert.deepEqual(mask.inside, [1, 3]);
  mask.wind("undo");
  assert.deepEqual(mask.inside, [1, 2]);
  mask.wind("redo");
  assert.deepEqual(mask.inside, [1, 3]);
  mask.wind("redo");
  assert.deepEqual(mask.inside, [1, 3]);
});

test("a new step after an undo cuts off what could be redone", () => {
  const mask = new Mask();
  mask.step(1);
  mask.wind("undo");
  mask.step(5);
  mask.wind("redo");
  assert.deepEqual(mask.inside, [5]);
  mask.wind("undo");
  assert.deepEqual(mask.inside, []);
});

test("a step that flips nothing is none", () => {
  const mask = new Mask();
  mask.step();
  assert.equal(mask.history.canUndo, false);
});

test("only the server's own word makes a mask saved", () => {
  const mask = new Mask();
  mask.step(1);
  assert.equal(mask.history.unsaved, true);
  const sent = mask.send();
  assert.equal(mask.history.unsaved, true);
  assert.equal(mask.history.confirmed(sent), true);
  assert.equal(mask.history.unsaved, false);
});

test("drawing on while a save is on its way leaves the mask unsaved", () => {
  const mask = new Mask();
  mask.step(1);
  const sent = mask.send();
  mask.step(2);
  mask.history.confirmed(sent);
  assert.equal(mask.history.unsaved, true);
});

test("undoing back to what the server has leaves nothing to save", () => {
  const mask = new Mask();
  mask.step(1);
  mask.wind("undo");
  assert.equal(mask.history.unsaved, false);
});

test("another mask of the server is not ours", () => {
  const mask = new Mask();
  mask.step(1);
  mask.send();
  assert.equal(mask.history.confirmed(12345), false);
});

test("after a reload the steps go on where they were", () => {
  const mask = new Mask();
  mask.step(1, 2);
  mask.history.confirmed(mask.send());
  const server = mask.labels.slice();
  mask.step(3);
  mask.step(4);
  mask.wind("undo");
  const again = mask.reloaded(server);
  assert.deepEqual(again?.inside, [1, 2, 3]);
  assert.equal(again?.history.unsaved, true);
  again?.wind("redo");
  assert.deepEqual(again?.inside, [1, 2, 3, 4]);
  for (let n = 0; n < 3; n++) again?.wind("undo");
  assert.deepEqual(again?.inside, []);
});

test("a save that reached the server before the reload but was not confirmed is known", () => {
  const mask = new Mask();
  mask.step(1);
  mask.send();
  const server = mask.labels.slice();
  mask.step(2);
  assert.deepEqual(mask.reloaded(server)?.inside, [1, 2]);
});

test("a reload after undoing past the save and drawing anew finds the way", () => {
  const mask = new Mask();
  mask.step(1);
  mask.step(2);
  mask.history.confirmed(mask.send());
  const server = mask.labels.slice();
  mask.wind("undo");
  mask.step(7);
  const again = mask.reloaded(server);
  assert.deepEqual(again?.inside, [1, 7]);
  again?.wind("undo");
  assert.deepEqual(again?.inside, [1]);
});

test("steps are not believed on another mask of the server", () => {
  const mask = new Mask();
  mask.step(1);
  const other = new Uint8Array(40);
  other[9] = 1;
  assert.equal(mask.reloaded(other), null);
});

test("of very many steps the first are forgotten, the mask and the way to the server are not", () => {
  const mask = new Mask();
  const server = mask.labels.slice();
  for (let n = 0; n < 230; n++) mask.step(n % 40);
  const before = mask.inside;
  const again = mask.reloaded(server);
  assert.deepEqual(again?.inside, before);
  let undone = 0;
  while (again?.history.canUndo) {
    again.wind("undo");
    undone++;
  }
  assert.equal(undone, 200);
});

test("random drawing, undoing, saving and reloading always agree with a plain record", () => {
  let seed = 7;
  const random = (n: number): number => (seed = (seed * 16807) % 2147483647) % n;
  for (let round = 0; round < 60; round++) {
    let mask = new Mask();
    let server = mask.labels.slice();
    const past: number[][] = [];
    let future: number[][] = [];
    for (let act = 0; act < 40; act++) {
      const now = mask.inside;
      switch (random(5)) {
        case 0:
        case 1:
          past.push(now);
          future = [];
          mask.step(random(20), 20 + random(20));
          break;
        case 2:
          if (past.length > 0) {
            future.push(now);
            mask.wind("undo");
            assert.deepEqual(mask.inside, past.pop());
          }
          break;
        case 3:
          if (future.length > 0) {
            past.push(now);
            mask.wind("redo");
            assert.deepEqual(mask.inside, future.pop());
          }
          break;
        case 4: {
          if (random(2)) {
            server = mask.labels.slice();
            const sent = mask.send();
            if (random(2)) mask.history.confirmed(sent);
          }
          const again = mask.reloaded(server);
          assert.deepEqual(again?.inside, now);
          mask = again as Mask;
        }
      }
    }
  }
});

test("masks of a picture travel apart and come back", () => {
  const labels = new Labels([3, 2, 2]);
  assert.deepEqual(labels.replace("graft", Uint8Array.from([0b10000001, 0b1000])), [0, 7, 11]);
  assert.deepEqual(labels.replace("rectus_left", Uint8Array.from([0b1, 0])), [0]);
  assert.deepEqual([...labels.packed("graft")], [0b10000001, 0b1000]);
  assert.deepEqual([...labels.packed("rectus_left")], [1, 0]);
  assert.deepEqual(labels.replace("graft", Uint8Array.from([0b11, 0])), [1, 7, 11]);
  assert.deepEqual([...labels.packed("graft")], [0b11, 0]);
  assert.equal(labels.data[0], 3);
});

test("the check is the CRC-32 of everyone else", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});

test("what is deflated is a zlib stream in base64 that inflates to the same", async () => {
  const bytes = Uint8Array.from({ length: 20000 }, (_, n) => n % 251);
  const text = base64(await deflated(bytes));
  assert.deepEqual(zlib(fromBase64(text)), bytes);
});
