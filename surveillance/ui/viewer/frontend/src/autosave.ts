/**
 * Autosave: edited masks go to Python a moment after the last step, one at a time.
 *
 * "Saved" is said only when the server's own mask has the CRC of the one drawn here.
 */

import type { Host, LayerName } from "./contract.ts";
import { base64, crc32, deflated } from "./labels.ts";
import type { PictureMasks } from "./masks.ts";

export type SaveState = "saved" | "unsaved" | "saving" | "failed";

const PAUSE_MS = 800;
const PATIENCE_MS = 10_000;
/** A save that is not confirmed is sent again so often by itself, then when the reader asks. */
const RETRIES = 3;
/** Above this a mask goes by POST: Streamlit's WebSocket is for small talk. */
const LARGE_BYTES = 200_000;

interface Job {
  picture: string;
  layer: LayerName;
}

/** What autosave needs of the viewer. */
export interface Desk {
  host(): Host;
  masks(picture: string): PictureMasks | undefined;
  layerUrl(picture: string, layer: LayerName): string;
  changed(): void;
}

export class Autosave {
  private readonly desk: Desk;
  private readonly waiting = new Map<string, Job>();
  private timer = 0;
  private flying: Job | null = null;
  private failed = false;
  private retries = 0;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  get state(): SaveState {
    if (this.flying) return "saving";
    if (this.failed) return "failed";
    return this.waiting.size > 0 ? "unsaved" : "saved";
  }

  /** A mask was changed; it is sent after a pause in the drawing. */
  touch(picture: string, layer: LayerName): void {
    this.waiting.set(`${picture}/${layer}`, { picture, layer });
    this.failed = false;
    this.retries = 0;
    if (!this.flying) this.schedule(PAUSE_MS);
    this.desk.changed();
  }

  /** Try again what failed. */
  retry(): void {
    this.failed = false;
    if (!this.flying) this.schedule(0);
    this.desk.changed();
  }

  /** The server spoke: its masks were compared with ours. */
  heard(): void {
    if (this.flying && !this.history(this.flying)?.awaiting) this.land(false);
    for (const [name, job] of this.waiting) {
      if (!this.history(job)?.unsaved) this.waiting.delete(name);
    }
    if (this.waiting.size === 0) this.failed = false;
    this.desk.changed();
  }

  stop(): void {
    window.clearTimeout(this.timer);
  }

  private history(job: Job): ReturnType<PictureMasks["history"]> {
    return this.desk.masks(job.picture)?.history(job.layer);
  }

  private schedule(ms: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.next(), ms);
  }

  private async next(): Promise<void> {
    for (const [name, job] of this.waiting) {
      this.waiting.delete(name);
      if (!this.history(job)?.unsaved) continue;
      this.flying = job;
      this.desk.changed();
      this.timer = window.setTimeout(() => this.land(true), PATIENCE_MS);
      await this.send(job).catch(() => this.land(true));
      return;
    }
    this.desk.changed();
  }

  private async send({ picture, layer }: Job): Promise<void> {
    const masks = this.desk.masks(picture);
    if (!masks) throw new Error("no masks");
    const bits = masks.labels.packed(layer);
    masks.history(layer)?.sent(crc32(bits));
    masks.remember(layer);
    const small = await deflated(bits);
    const answer = { picture, layer };
    if (small.length <= LARGE_BYTES) {
      this.desk.host().setTriggerValue("edited", { ...answer, deflated: base64(small) });
      return;
    }
    const request = { method: "POST", body: small, credentials: "same-origin" } as const;
    const response = await fetch(this.desk.layerUrl(picture, layer), request);
    if (!response.ok) throw new Error(String(response.status));
    this.desk.host().setTriggerValue("edited", { ...answer, receipt: await response.text() });
  }

  /** What flew came down: confirmed, or not in time. */
  private land(failed: boolean): void {
    const job = this.flying;
    if (!job) return;
    this.flying = null;
    this.failed = failed;
    window.clearTimeout(this.timer);
    if (this.history(job)?.unsaved) this.waiting.set(`${job.picture}/${job.layer}`, job);
    if (!failed) this.retries = 0;
    if (this.waiting.size > 0 && (!failed || this.retries++ < RETRIES)) this.schedule(PAUSE_MS);
    this.desk.changed();
  }
}
