/**
 * What the anchor and the generation in charge say to each other: facts and orders of both sides.
 *
 * The anchor is the first process, kept for its pid. Between it and every later generation lies one socket pair:
 * the anchor holds one end, all generations inherit the other, and only the one in charge reads it.
 */
import type { Failure, Identity } from './events.js';

/** Who is in charge, as it says itself. */
export interface Charge extends Identity {
  readonly generation: number;
}

/** How a service ended: in order, or with a failure. */
export interface Conclusion {
  /** Why it ended; null for in order. */
  readonly failure: Failure | null;
}

// ── in the first process ────────────────────────────────────────────────────────────────────────────────

/** Makes the socket pair, and later watches the service through it. Reports `ServiceFact`s. */
export type ServiceInput = Record<string, never>;

/** Orders to the effect `service`. */
export type ServiceOrder =
  /** Give the far end away and read the near one: from now on its end means that no generation is left. */
  | { readonly type: 'service.watch' }
  /** Tell the generation in charge that a signal came; `stops` counts what the anchor was asked, this included. */
  | {
      readonly type: 'service.forward';
      /** Its name, as the anchor got it: `SIGTERM`. */
      readonly signal: string;
      /** How many stops the anchor was asked for, this one included; the second one kills. */
      readonly stops: number;
    };

/** What the first process learns of the generations after it. */
export type ServiceFact =
  /** The pair is there: `descriptor` is the far end, to be passed on. */
  | {
      readonly type: 'service.prepared';
      /** The far end, as this process has it. */
      readonly descriptor: number;
      readonly atMs: number;
    }
  | ({ readonly type: 'service.failed'; readonly atMs: number } & Failure)
  | ({ readonly type: 'service.charged'; readonly atMs: number } & Charge)
  | ({ readonly type: 'service.concluded'; readonly atMs: number } & Conclusion)
  /** No generation is left that holds the far end. */
  | { readonly type: 'service.ended'; readonly atMs: number };

// ── in every later generation ───────────────────────────────────────────────────────────────────────────

/** Reads what the anchor passes on, and announces who is in charge. Reports `AnchorFact`s and `Request`s. */
export interface AnchorInput extends Charge {
  /** The far end, as inherited. It stays open when the effect is stopped: the next generation may need it. */
  readonly descriptor: number;
}

/** The last word to the anchor: how the service ended. */
export type AnchorOrder = {
  readonly type: 'anchor.conclude';
  /** Why the service ended; null for in order. */
  readonly failure: Failure | null;
};

/** What a later generation learns of the first process. */
export type AnchorFact =
  /** The first process has given everything back and stays as the anchor. */
  | ({ readonly type: 'anchor.introduced'; readonly atMs: number } & Identity)
  /** Its end of the socket pair is closed: the first process is gone. The inherited descriptor is closed too. */
  | { readonly type: 'anchor.ended'; readonly atMs: number };

// ── orphans ─────────────────────────────────────────────────────────────────────────────────────────────

/** Takes the exit statuses of orphans that were given to this process. Reports `ReaperFact`s. */
export type ReaperInput = Record<string, never>;

/** What came of orphans. */
export type ReaperFact =
  | { readonly type: 'orphan.reaped'; readonly pid: number; readonly atMs: number }
  /** Orphans stay zombies; told once. */
  | {
      readonly type: 'reaping.failed';
      /** Why not, in words. */
      readonly message: string;
      readonly atMs: number;
    };
