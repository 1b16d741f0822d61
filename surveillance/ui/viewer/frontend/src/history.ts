/**
 * History: the steps of one mask, to be undone and done again, also after a reload of the page.
 *
 * A step is the set of voxels it flipped, so doing and undoing are the same act. The steps live in
 * the tab's sessionStorage (gone with the tab, as on a shared workstation they should be) and hold
 * no image. `saved` remembers which state the server has: after a reload the steps are believed
 * only when the server's mask is that one.
 */

import { difference, packedRuns, type Runs, unpackedRuns } from "./runs.ts";

const MOST_STEPS = 200;

/** A mask the server has or was sent: `at` steps were done, then `detour` flipped. */
interface Sent {
  check: number;
  at: number;
  detour: Runs;
}

export interface Remembered {
  steps: string[];
  at: number;
  saved: [number, number, string];
  sending: [number, number, string] | null;
}

export class History {
  private steps: Runs[] = [];
  private at = 0;
  private saved: Sent;
  private sending: Sent | null = null;

  /** `check` is the CRC of the mask before any step, which the server has. */
  constructor(check: number) {
    this.saved = { check, at: 0, detour: [] };
  }

  get canUndo(): boolean {
    return this.at > 0;
  }

  get canRedo(): boolean {
    return this.at < this.steps.length;
  }

  /** Whether the mask differs from what the server has. */
  get unsaved(): boolean {
    return this.way(this.saved).length > 0;
  }

  /** Whether a mask was sent that the server has not confirmed. */
  get awaiting(): boolean {
    return this.sending !== null;
  }

  /** A step that was just done. */
  record(step: Runs): void {
    if (step.length === 0) return;
    for (const sent of this.known()) this.reroute(sent);
    this.steps.splice(this.at, Infinity, step);
    this.at++;
    while (this.steps.length > MOST_STEPS) this.forgetFirst();
  }

  /** What to flip to undo the last step; null when there is none. */
  undo(): Runs | null {
    return this.canUndo ? this.steps[--this.at] : null;
  }

  redo(): Runs | null {
    return this.canRedo ? this.steps[this.at++] : null;
  }

  /** The mask as it stands was sent to the server. */
  sent(check: number): void {
    this.sending = { check, at: this.at, detour: [] };
  }

  /** The server has a mask with this CRC: true when it is one that was sent from here. */
  confirmed(check: number): boolean {
    if (check === this.sending?.check) {
      this.saved = this.sending;
      this.sending = null;
      return true;
    }
    return check === this.saved.check;
  }

  /** The server's own new mask was taken over by a step just recorded. */
  adopted(check: number): void {
    this.saved = { check, at: this.at, detour: [] };
    this.sending = null;
  }

  toJSON(): Remembered {
    const flat = ({ check, at, detour }: Sent): [number, number, string] => [check, at, packedRuns(detour)];
    return {
      steps: this.steps.map(packedRuns),
      at: this.at,
      saved: flat(this.saved),
      sending: this.sending && flat(this.sending),
    };
  }

  /**
   * The history of an earlier page load, and what to flip on the server's mask to be where it was.
   * Null when the server's mask is none this history knows.
   */
  static remembered(from: Remembered, check: number): { history: History; flips: Runs } | null {
    const sent = ([crc, at, detour]: [number, number, string]): Sent => ({ check: crc, at, detour: unpackedRuns(detour) });
    const history = new History(check);
    history.steps = from.steps.map(unpackedRuns);
    history.at = from.at;
    history.saved = sent(from.saved);
    history.sending = from.sending && sent(from.sending);
    if (!history.confirmed(check)) return null;
    return { history, flips: history.way(history.saved) };
  }

  /** What to flip to get from a sent mask to the one that stands. */
  private way(sent: Sent): Runs {
    const between = this.steps.slice(Math.min(sent.at, this.at), Math.max(sent.at, this.at));
    return between.reduce(difference, sent.detour);
  }

  private known(): Sent[] {
    return this.sending ? [this.saved, this.sending] : [this.saved];
  }

  /** A new step cuts off what could be redone; a mask beyond it is reached by a detour. */
  private reroute(sent: Sent): void {
    sent.detour = this.way(sent);
    sent.at = this.at;
  }

  private forgetFirst(): void {
    for (const sent of this.known()) {
      if (sent.at === 0) sent.detour = difference(sent.detour, this.steps[0]);
      else sent.at--;
    }
    this.steps.shift();
    this.at--;
  }
}
