/**
 * What the orders of the machines do to the world, and what they are told in the same breath.
 *
 * Whoever decides is a shipped machine. Answers of the own process (the token, a count, the released lock) come at
 * once, since nothing else can happen in between there. Lists of workers that travel between two generations are
 * not messages here: they only matter when their sender is dead and everything it said has been read.
 */
import type { PlainEvent } from '../../../src/testing/drive.js';
import { answerProblems, dies, exitProblems, releaseProblems } from './ends.js';
import { COUNTED, EMPTY, ENDED, GONE, RELEASED, TAKEN as TOKEN_TAKEN, type Word } from './facts.js';
import type { Service } from './machines.js';
import type { Effect, Recipient } from './process.js';
import type { Processes } from './processes.js';
import type { Safeguard } from './safeguards.js';
import {
  ACTIVE,
  ADMITTED,
  ASKED,
  hasNamed,
  KILLED,
  NEW,
  NONE,
  swept,
  withWorker,
  workerAt,
} from './workers.js';
import {
  ALIVE,
  ANCHOR,
  DYING,
  ENDED_IN_ORDER,
  HUNG,
  KILLED_BY_OTHER,
  numberOfWords,
  PID_OF_NOBODY,
  PID_OF_P,
  PID_OF_S,
  Side,
  TAKEN,
  THERE,
  TOLD_NOTHING,
  TOLD_PROMOTED,
  TOLD_REFUSED,
  UNBORN,
  type World,
  wordsOf,
} from './world.js';

/** What comes of a move besides the world it leads to. */
export interface Notes {
  /** Guarantees that it broke. */
  readonly problems: string[];
  /** It would need a third generation beside two. */
  beyond: boolean;
}

type Told = readonly [Recipient, PlainEvent];

export class Kernel {
  readonly processes: Processes;
  readonly notes: Notes = { problems: [], beyond: false };
  readonly #service: Service;
  readonly #off: ReadonlySet<Safeguard>;
  /** Without looking first: what waited when a decision was taken. */
  #unread: readonly Word[] = [];
  /** Whoever is told something was linked to another generation before. */
  #wasLinked = false;

  constructor(processes: Processes, service: Service, off: ReadonlySet<Safeguard>) {
    this.processes = processes;
    this.#service = service;
    this.#off = off;
  }

  isOff(safeguard: Safeguard): boolean {
    return this.#off.has(safeguard);
  }

  /** Forgets what the last move came to. */
  reset(): void {
    if (this.notes.problems.length > 0) this.notes.problems.length = 0;
    this.notes.beyond = false;
    this.#unread = [];
  }

  /** Tells a supervisor something, and carries out everything that follows from it. */
  tell(world: World, side: Side, to: Recipient, event: PlainEvent): void {
    const told: Told[] = [[to, event]];
    for (let next = told.shift(); next !== undefined; next = told.shift()) {
      if (!side.runs) return;
      const { place, effects } = this.processes.next(side.place, ...next);
      this.#wasLinked = this.processes.at(side.place).link !== 'none';
      const sets = this.processes.setsAlarm(side.place, place);
      side.place = place;
      for (const effect of effects) {
        this.#carryOut(world, side, effect, told);
        if (!side.runs) return;
      }
      if (sets && this.#hasToRead(world.other(side))) side.early = 1;
    }
  }

  /** The successor exists: it starts its workers. */
  bear(world: World): void {
    const { place, effects } = this.processes.successor();
    world.s.place = place;
    world.s.life = ALIVE;
    for (const effect of effects) this.#carryOut(world, world.s, effect, []);
  }

  #carryOut(world: World, side: Side, effect: Effect, told: Told[]): void {
    const peer = world.other(side);
    switch (effect.does) {
      case 'fork':
        if (workerAt(side.workers, effect.slot) !== NONE) this.#breaks('G7: two processes in one slot');
        side.workers = withWorker(side.workers, effect.slot, NEW);
        return;
      case 'ask':
      case 'kill':
        this.#signal(world, side, effect.slot, effect.does);
        return;
      case 'admit':
        side.workers = withWorker(
          side.workers,
          effect.slot,
          ADMITTED[workerAt(side.workers, effect.slot)] as number,
        );
        return;
      case 'say':
        this.#say(world, side, effect.word);
        return;
      case 'read':
        this.#read(world, side, told);
        return;
      case 'take':
        told.push(['link', world.token === THERE ? TOKEN_TAKEN : this.#tokenGone(world, side)]);
        if (!this.isOff('token')) world.token = TAKEN;
        return;
      case 'killPeer':
        this.#killPeer(world, side, told);
        return;
      case 'killLeftovers':
        told.push(['link', COUNTED[hasNamed(peer.workers) ? 1 : 0] as PlainEvent]);
        peer.workers = swept(peer.workers);
        return;
      case 'sweepLeftovers':
        if (peer.isGone) peer.workers = swept(peer.workers);
        return;
      case 'writePid':
        if (side === world.p && this.isOff('pid')) return;
        world.pid = side === world.p ? PID_OF_P : PID_OF_S;
        return;
      case 'claim':
        side.charging = this.processes.awaitsClaim(side.place) ? 1 : 0;
        return;
      case 'answer':
        if (side === world.p) this.#tellRequester(world, effect.outcome, effect.reason);
        return;
      case 'release':
        for (const problem of releaseProblems(world, side, this.processes)) this.#breaks(problem);
        world.released = 1;
        world.pid = PID_OF_NOBODY;
        told.push(['supervisor', RELEASED]);
        return;
      case 'exit':
        this.#exit(world, side, ENDED_IN_ORDER);
        return;
      case 'anchor':
        this.#exit(world, side, ANCHOR);
        return;
      case 'startSuccessor':
        this.#startSuccessor(world, side);
        return;
    }
  }

  #hasToRead(side: Side): boolean {
    return side.runs && (side.inbox > 0 || side.words !== 0);
  }

  /** What is known only as long as it matters. */
  tidy(world: World): void {
    for (const side of [world.p, world.s]) {
      if (side.early === 1 && !this.#hasToRead(world.other(side))) side.early = 0;
      if (!side.isGone && this.processes.at(side.place).link !== 'none') continue;
      side.words = 0;
      side.inbox = 0;
      side.sawEnd = 0;
      side.sawDeparture = 0;
      side.early = 0;
    }
  }

  #signal(world: World, side: Side, slot: number, how: 'ask' | 'kill'): void {
    const before = workerAt(side.workers, slot);
    side.workers = withWorker(side.workers, slot, (how === 'ask' ? ASKED : KILLED)[before] as number);
    const { promoted, stopping, linkState } = this.processes.at(side.place);
    if (side !== world.p || stopping || promoted || before !== ACTIVE) return;
    if (this.#service.handoff === 'overlap')
      this.#breaks('G4: a worker that serves has to leave, though nobody replaces it');
    else if (linkState.startsWith('undecided') && this.#unread.includes('failed'))
      this.#breaks('G4: workers leave for a successor that has said already that it failed');
  }

  #say(world: World, side: Side, word: Word): void {
    const peer = world.other(side);
    if (word === 'committed' && !peer.isGone) side.committed = 1;
    if (word === 'granted' && this.isOff('patience')) {
      this.#deliver(peer, word);
      dies(world, side, ENDED_IN_ORDER);
      return;
    }
    if (word === 'failed' && this.isOff('perseverance')) {
      dies(world, side, ENDED_IN_ORDER);
      return;
    }
    if (word === 'stop' && this.isOff('relay')) return;
    this.#deliver(peer, word);
  }

  /** An alarm may repeat a word without end: one more would not be told apart from those that wait. */
  #deliver(peer: Side, word: Word): void {
    if (!peer.runs && peer.life !== HUNG) return;
    if (this.processes.at(peer.place).link === 'none') return;
    const waiting = wordsOf(peer.words);
    const most = word === 'stop' ? 2 : 1;
    if (waiting.filter((other) => other === word).length >= most) return;
    peer.words = numberOfWords([...waiting, word]);
  }

  /** What waits now is read before `inbox.empty`. */
  look(world: World, side: Side): void {
    // The end of the socket waits in it like a message; the exit of a child comes by another way.
    const end = side === world.s && world.p.isGone && side.sawEnd === 0 ? 1 : 0;
    side.inbox = 1 + wordsOf(side.words).length + end;
  }

  #read(world: World, side: Side, told: Told[]): void {
    if (!this.isOff('looking')) {
      this.look(world, side);
      return;
    }
    this.#unread = wordsOf(side.words);
    told.push(['link', EMPTY]);
  }

  #tokenGone(world: World, side: Side): PlainEvent {
    if (side !== world.p || !this.isOff('word')) return GONE;
    return { type: 'successor.committed', atMs: 1 };
  }

  #killPeer(world: World, side: Side, told: Told[]): void {
    const peer = world.other(side);
    if (this.#unread.includes('committed'))
      this.#breaks('G5: the successor is killed for its silence, and its word waits unread');
    if (peer.isGone || peer.life === UNBORN) return;
    if (peer.life === HUNG) dies(world, peer, KILLED_BY_OTHER);
    else peer.life = DYING;
    const { link } = this.processes.at(side.place);
    if (!this.isOff('exit') || link === 'none' || side.sawEnd === 1) return;
    side.sawEnd = 1;
    told.push(['link', ENDED[link]]);
  }

  #tellRequester(world: World, outcome: string, reason: string | null): void {
    const { p } = world;
    const isStopping = this.processes.at(p.place).stopping;
    // A request that comes while it stops has an answer of its own.
    if (outcome !== 'promoted' && reason === 'stopped' && p.told !== TOLD_NOTHING && isStopping) return;
    for (const problem of answerProblems(world, outcome)) this.#breaks(problem);
    p.told = outcome === 'promoted' ? TOLD_PROMOTED : TOLD_REFUSED;
  }

  /** The whole process goes, or stays and owns nothing. */
  #exit(world: World, side: Side, life: number): void {
    for (const problem of exitProblems(world, side, life, !this.#wasLinked)) this.#breaks(problem);
    dies(world, side, life);
  }

  #startSuccessor(world: World, side: Side): void {
    const peer = world.other(side);
    if (peer.life !== UNBORN && (!peer.isGone || peer.workers !== 0)) {
      this.notes.beyond = true;
      return;
    }
    if (side === world.s) world.pid = world.pid === PID_OF_S ? PID_OF_P : world.pid;
    world.p = side;
    world.s = new Side();
    side.told = TOLD_NOTHING;
    side.committed = 0;
    side.sawEnd = 0;
    side.sawDeparture = 0;
    world.token = THERE;
  }

  #breaks(problem: string): void {
    this.notes.problems.push(problem);
  }
}
