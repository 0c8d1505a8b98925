/**
 * What the page shows of one moment: plain data, folded from entries of the journal.
 */
import type { Edge } from './arrows.js';

/** What a slot is doing, as one colour. */
export type LifeKind = 'boot' | 'ready' | 'serving' | 'draining' | 'killing' | 'backoff' | 'held';

export interface Span {
  readonly kind: LifeKind;
  readonly fromMs: number;
  /** Null while it lasts. */
  toMs: number | null;
  readonly pid: number | null;
  /** What it was then: a standby is 0, and may fill a slot later. */
  readonly slot: number;
}

export interface Exit {
  readonly atMs: number;
  readonly pid: number;
  readonly code: number | null;
  readonly signal: string | null;
}

/** One machine of one supervisor. */
export interface MachineView {
  /** What it runs: `supervisor`, `worker`, `reload`, `takeover`. */
  readonly machine: string;
  state: string;
  /** The last edge that was taken; null before the first. */
  edge: Edge | null;
  /** What became of it; `active` while it lives. */
  status: string;
}

/** One of a generation's worker machines: it fills a slot, or is a standby. */
export interface WorkerView {
  readonly actor: string;
  /** 0 for a standby. */
  slot: number;
  pid: number | null;
  /** Tells a process from a later one with the same pid; null where the system has no such word. */
  startTime: string | null;
  state: string;
  spawnedAtMs: number | null;
  respawns: number;
  /** When the slot is filled again; null while nothing waits. */
  respawnAtMs: number | null;
  says: string;
  memoryBytes: number | null;
  lastExit: Exit | null;
  /** Its life, oldest first. */
  readonly spans: Span[];
  readonly exits: Exit[];
  /** It was only heard of: another generation told its pid. */
  readonly isHearsay: boolean;
}

export interface AlarmView {
  readonly actor: string;
  /** Id of the alarm in its machine. */
  readonly id: string;
  readonly alarm: string;
  readonly setAtMs: number;
  /** Null for one that was set before anything was recorded. */
  readonly dueAtMs: number | null;
}

export type Fate =
  | 'begins'
  | 'in charge'
  | 'leaves'
  | 'anchor'
  | 'refused'
  | 'rolled back'
  | 'failed'
  | 'ended';

export interface GenerationView {
  readonly generation: number;
  readonly pid: number;
  readonly beganMs: number;
  endedMs: number | null;
  /** Since when its workers may serve while another generation still owns the lock; null where none does, or not yet. */
  probationMs: number | null;
  /** Why a reload was refused or rolled back, in words; empty otherwise. */
  why: string;
  fate: Fate;
  /** When it owned the lock. */
  readonly charge: { readonly fromMs: number; toMs: number | null }[];
  readonly machines: Map<string, MachineView>;
  readonly workers: Map<string, WorkerView>;
  /** By actor and id. */
  readonly alarms: Map<string, AlarmView>;
}

export interface Picture {
  /** By pid and generation, in the order in which they began. */
  readonly generations: Map<string, GenerationView>;
  /** When the last entry was made; 0 for none. */
  atMs: number;
}

export const generationsOf = (picture: Picture): readonly GenerationView[] =>
  [...picture.generations.values()].sort((a, b) => a.beganMs - b.beganMs || a.generation - b.generation);

/** Who owns the lock, or else the latest that lives, or else the latest that owned it, or else the latest. */
export const principalOf = (picture: Picture): GenerationView | null => {
  const all = generationsOf(picture);
  return (
    all.findLast(({ charge, endedMs }) => endedMs === null && charge.at(-1)?.toMs === null) ??
    all.findLast(({ endedMs, fate }) => endedMs === null && fate !== 'anchor') ??
    all.findLast(({ charge }) => charge.length > 0) ??
    all.at(-1) ??
    null
  );
};
