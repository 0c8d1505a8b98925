/**
 * Worker processes as the kernel sees them, one for each slot at a time, in four bits of a number.
 *
 * A worker may be told `ok` before it reads that word; it counts as active from the moment it is written, and until
 * it is gone. So a late `ok`, which waits in the channel of a supervisor that has died meanwhile, is always there,
 * at its worst. A process that was sent SIGKILL may live on for a moment, and does nothing new: it is leaving.
 */
export const NONE = 0;
/** It exists, and its supervisor has not been told so, nor has anybody else. */
export const NEW = 1;
export const IDLE = 2;
export const ACTIVE = 3;
/** Told to go, or alone: it ends by itself, having served nothing. */
export const LEAVING = 4;
/** The same, and it still serves what it has begun. */
export const DRAINING = 5;
/** It is gone, and its supervisor has not been told so. */
export const EXITED = 6;
export const HUNG = 7;
export const HUNG_ACTIVE = 8;
export const HUNG_NEW = 9;

export const WORKER_WORDS = [
  'none',
  'just started',
  'idle',
  'active',
  'leaving',
  'draining',
  'exited',
  'hung',
  'hung while active',
  'hung at its start',
] as const;

const BITS = 4;
const MASK = 15;

export const workerAt = (workers: number, slot: number): number => (workers >> (slot * BITS)) & MASK;
export const withWorker = (workers: number, slot: number, state: number): number =>
  (workers & ~(MASK << (slot * BITS))) | (state << (slot * BITS));

const mapped = (workers: number, change: readonly number[]): number => {
  let all = workers;
  for (let slot = 0; all >> (slot * BITS) !== 0; slot += 1)
    all = withWorker(all, slot, change[workerAt(all, slot)] as number);
  return all;
};

export const some = (workers: number, wanted: (state: number) => boolean): boolean => {
  for (let rest = workers; rest !== 0; rest >>>= BITS) if (wanted(rest & MASK)) return true;
  return false;
};

export const isActive = (state: number): boolean =>
  state === ACTIVE || state === DRAINING || state === HUNG_ACTIVE;
/** It holds the life pipe of its generation. */
export const lives = (state: number): boolean => state !== NONE && state !== EXITED;
export const isHung = (state: number): boolean => state >= HUNG;
/** Its supervisor has told the other generation of it, before it was ever told `ok`. */
const isNamed = (state: number): boolean => lives(state) && state !== NEW && state !== HUNG_NEW;

/** What becomes of each state when the stop signal comes. */
export const ASKED = [NONE, NEW, LEAVING, DRAINING, LEAVING, DRAINING, EXITED, HUNG, HUNG_ACTIVE, HUNG_NEW];
/** When SIGKILL comes: nothing can ignore it. */
export const KILLED = [
  NONE,
  LEAVING,
  LEAVING,
  DRAINING,
  LEAVING,
  DRAINING,
  EXITED,
  LEAVING,
  DRAINING,
  LEAVING,
];
/** When `ok` is written. */
export const ADMITTED = [
  NONE,
  NEW,
  ACTIVE,
  ACTIVE,
  DRAINING,
  DRAINING,
  EXITED,
  HUNG_ACTIVE,
  HUNG_ACTIVE,
  HUNG_NEW,
];
/** When its supervisor dies: it sees the end of its channel and leaves, if it sees anything. */
const ORPHANED = [NONE, NEW, LEAVING, DRAINING, LEAVING, DRAINING, NONE, HUNG, HUNG_ACTIVE, HUNG_NEW];
/** When somebody else kills what it was told of. */
const SWEPT = KILLED.map((state, before) => (isNamed(before) ? state : before));
/** SIGSTOP, or a loop that never ends. To hang after one was told to go is the same as to hang before. */
export const HANGING = [
  NONE,
  HUNG_NEW,
  HUNG,
  HUNG_ACTIVE,
  LEAVING,
  DRAINING,
  EXITED,
  HUNG,
  HUNG_ACTIVE,
  HUNG_NEW,
];

export const orphaned = (workers: number): number => mapped(workers, ORPHANED);
export const swept = (workers: number): number => mapped(workers, SWEPT);
export const hasNamed = (workers: number): boolean => some(workers, isNamed);
