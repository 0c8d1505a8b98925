/**
 * Both generations at one moment: what the machines and the kernel know, and how many faults may still come.
 */
import type { Word } from './facts.js';

/** The process of a supervisor. */
export const UNBORN = 0;
export const ALIVE = 1;
export const HUNG = 2;
/** Sent SIGKILL by the other one: it lives on for a moment, and sets no alarm any more that could fire. */
export const DYING = 3;
export const KILLED_BY_FATE = 4;
export const ENDED_IN_ORDER = 5;
export const KILLED_BY_OTHER = 6;
/** It has given everything back and stays for its pid. */
export const ANCHOR = 7;

export const LIFE_WORDS = [
  'not started',
  'alive',
  'hung',
  'dying',
  'killed by fate',
  'ended',
  'killed by the other',
  'an anchor',
] as const;

export const TOLD_NOTHING = 0;
export const TOLD_PROMOTED = 1;
export const TOLD_REFUSED = 2;

/** One generation. Flags are 0 or 1. */
export class Side {
  place = 0;
  life = UNBORN;
  /** Its worker processes, four bits each. */
  workers = 0;
  /** Messages of the other one that wait here, as a number of a list. */
  words = 0;
  /** 0: nobody reads; else one more than the messages that are to be read before `inbox.empty`. */
  inbox = 0;
  /** It has seen the other supervisor go, and the whole generation. */
  sawEnd = 0;
  sawDeparture = 0;
  /** Pid and control path are being taken. */
  charging = 0;
  /** It has said that it is in charge. */
  committed = 0;
  /** It was asked for a stop, and that must come true. */
  asked = 0;
  /**
   * Its last alarm was set while something waited that the other one had to read. Alarms fire at any time, but
   * seconds after they were set: by then whoever runs has read it. One that is stopped has not.
   */
  early = 0;
  /** What the requester of the reload was told here. */
  told = TOLD_NOTHING;

  copy(): Side {
    const copy = new Side();
    copy.place = this.place;
    copy.life = this.life;
    copy.workers = this.workers;
    copy.words = this.words;
    copy.inbox = this.inbox;
    copy.sawEnd = this.sawEnd;
    copy.sawDeparture = this.sawDeparture;
    copy.charging = this.charging;
    copy.committed = this.committed;
    copy.asked = this.asked;
    copy.early = this.early;
    copy.told = this.told;
    return copy;
  }

  get isGone(): boolean {
    return this.life >= KILLED_BY_FATE;
  }
  /** It takes its turns: nobody has stopped it. */
  get runs(): boolean {
    return this.life === ALIVE || this.life === DYING;
  }
}

export interface Faults {
  /** SIGKILL of a supervisor. */
  readonly kills: number;
  /** SIGSTOP of a supervisor. */
  readonly hangs: number;
  /** Workers that exit unasked. */
  readonly crashes: number;
  readonly hungWorkers: number;
  /** Processes that cannot be started: workers, and the successor. */
  readonly spawnFailures: number;
  /** Stops that somebody asks for. */
  readonly stops: number;
  /** Reloads that somebody asks for after the first. */
  readonly reloads: number;
}

export const NO_FAULTS: Faults = {
  kills: 0,
  hangs: 0,
  crashes: 0,
  hungWorkers: 0,
  spawnFailures: 0,
  stops: 0,
  reloads: 0,
};

export const PID_OF_NOBODY = 0;
export const PID_OF_P = 1;
export const PID_OF_S = 2;

export const THERE = 0;
export const TAKEN = 1;

export class World {
  /** The predecessor and the successor. */
  p = new Side();
  s = new Side();
  token = THERE;
  pid = PID_OF_P;
  /** Pid file, paths and lock were given back by whoever was in charge. */
  released = 0;
  /** Faults that may still come, two bits each. */
  faults = 0;

  copy(): World {
    const copy = new World();
    copy.p = this.p.copy();
    copy.s = this.s.copy();
    copy.token = this.token;
    copy.pid = this.pid;
    copy.released = this.released;
    copy.faults = this.faults;
    return copy;
  }

  other(side: Side): Side {
    return side === this.p ? this.s : this.p;
  }
}

const FAULTS = ['kills', 'hangs', 'crashes', 'hungWorkers', 'spawnFailures', 'stops', 'reloads'] as const;
export type Fault = (typeof FAULTS)[number];

export const faultsOf = (faults: Faults): number =>
  FAULTS.reduce((sum, fault, index) => sum | (Math.min(faults[fault], 3) << (2 * index)), 0);
export const mayHappen = ({ faults }: World, fault: Fault): boolean =>
  ((faults >> (2 * FAULTS.indexOf(fault))) & 3) > 0;
export const spend = (world: World, fault: Fault): void => {
  world.faults -= 1 << (2 * FAULTS.indexOf(fault));
};
export const leftText = ({ faults }: World): string =>
  FAULTS.map((fault, index) => `${(faults >> (2 * index)) & 3} ${fault}`)
    .filter((text) => !text.startsWith('0'))
    .join(', ');

/** Lists of messages, known by number. */
const lists: (readonly Word[])[] = [[]];
const numbers = new Map<string, number>([['', 0]]);
export const wordsOf = (list: number): readonly Word[] => lists[list] as readonly Word[];
export const numberOfWords = (words: readonly Word[]): number => {
  const key = words.join();
  const known = numbers.get(key);
  if (known !== undefined) return known;
  if (lists.length > 255) throw new Error('more lists of messages than there is room for');
  numbers.set(key, lists.length);
  lists.push(words);
  return lists.length - 1;
};

/** A world in so many whole numbers. */
export const PACKED = 5;

export const pack = ({ p, s, token, pid, released, faults }: World, into: Int32Array): void => {
  into[0] = headOf(p);
  into[1] = tailOf(p);
  into[2] = headOf(s);
  into[3] = tailOf(s);
  into[4] = faults | (token << 14) | (pid << 15) | (released << 17);
};

const headOf = (side: Side): number =>
  side.place |
  (side.life << 20) |
  (side.inbox << 23) |
  (side.sawEnd << 26) |
  (side.sawDeparture << 27) |
  (side.charging << 28) |
  (side.committed << 29) |
  (side.asked << 30) |
  (side.early << 31);
const tailOf = (side: Side): number => side.workers | (side.words << 16) | (side.told << 24);

const unpackSide = (head: number, tail: number): Side => {
  const side = new Side();
  side.place = head & 0xfffff;
  side.life = (head >> 20) & 7;
  side.inbox = (head >> 23) & 7;
  side.sawEnd = (head >> 26) & 1;
  side.sawDeparture = (head >> 27) & 1;
  side.charging = (head >> 28) & 1;
  side.committed = (head >> 29) & 1;
  side.asked = (head >> 30) & 1;
  side.early = head >>> 31;
  side.workers = tail & 0xffff;
  side.words = (tail >> 16) & 0xff;
  side.told = (tail >> 24) & 3;
  return side;
};

export const unpack = (from: Int32Array, at: number): World => {
  const word = (index: number): number => from[at + index] as number;
  const world = new World();
  world.p = unpackSide(word(0), word(1));
  world.s = unpackSide(word(2), word(3));
  const rest = word(4);
  world.faults = rest & 0x3fff;
  world.token = (rest >> 14) & 1;
  world.pid = (rest >> 15) & 3;
  world.released = (rest >> 17) & 1;
  return world;
};
