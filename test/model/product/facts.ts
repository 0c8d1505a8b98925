/**
 * What can be told to the machines of one supervisor, and the words between two generations.
 *
 * Processes are told apart by their slot and generation alone: that late facts about an earlier process do not
 * match is held by the walks of the worker machine, and nothing here is late in that way.
 */
import type { PlainEvent } from '../../../src/testing/drive.js';

export const AT = { atMs: 1 };
export const PREDECESSOR = { pid: 100, startTime: '1' };
export const SUCCESSOR = { pid: 200, startTime: '1' };
/** Stands for all workers of the other generation: which of them it names is known from the processes. */
export const SOMEBODY = { pid: 400, startTime: '1' };

export const fact = (type: string, more: object = {}): PlainEvent => ({ type, ...more, ...AT });

export type Word =
  | 'takeover'
  | 'activated'
  | 'failed'
  | 'committed'
  | 'stop'
  | 'granted'
  | 'draining'
  | 'drained'
  | 'anchored';

/** How each side hears a word. */
export const HEARD: Readonly<Record<'reload' | 'takeover', Readonly<Partial<Record<Word, PlainEvent>>>>> = {
  reload: {
    takeover: fact('takeover.requested'),
    activated: fact('successor.activated', { probationMs: 0, limitMs: 5_000 }),
    failed: fact('successor.failed', { reason: 'worker-exited', detail: '' }),
    committed: fact('successor.committed'),
    stop: fact('stop.relayed'),
  },
  takeover: {
    granted: fact('predecessor.granted'),
    draining: fact('predecessor.draining'),
    drained: fact('predecessor.drained'),
    anchored: fact('predecessor.anchored', PREDECESSOR),
    stop: fact('stop.relayed'),
  },
};

/** The kernel's word that the other supervisor, or all of the other generation, is gone. */
export const ENDED = {
  reload: fact('successor.exited', { pid: SUCCESSOR.pid, code: null, signal: 'SIGKILL' }),
  takeover: fact('predecessor.ended'),
} as const;
/** A successor that ended because it was told to. */
export const EXITED_IN_ORDER = fact('successor.exited', { pid: SUCCESSOR.pid, code: 0, signal: null });
export const DEPARTED = {
  reload: fact('successor.departed'),
  takeover: fact('predecessor.departed'),
} as const;

export const SPAWNED = fact('successor.spawned', { generation: 2, ...SUCCESSOR });
export const UNSPAWNED = fact('successor.unspawned', { generation: 2, code: 'EAGAIN', message: 'no more' });
export const EMPTY = fact('inbox.empty');
export const TAKEN = fact('token.taken');
export const GONE = fact('token.gone');
export const COUNTED = [0, 1].map((remaining) => fact('leftovers.counted', { remaining }));
export const CLAIMED = fact('control.claimed', { path: '/run/daemon.sock' });
export const RELEASED = fact('lock.released');
export const STOP = fact('stop.requested', { via: 'SIGTERM' });
/** What the anchor passes on to whoever is in charge. */
export const ANCHOR_STOP = fact('stop.requested', { via: 'SIGTERM', anchorStops: 1 });
export const RELOAD = fact('reload.requested', { via: 'SIGUSR2', id: null });

/** The one process that a slot has at a time. */
export const pidOf = (slot: number): number => 500 + slot;
const IN_SLOT = { slot: 1, generation: 1, pid: pidOf(1) };

/** What a slot's machine is told, each of which is slot 1 to itself. */
export const OF_SLOT = {
  spawned: fact('worker.spawned', { ...IN_SLOT, startTime: '1', channel: 700 }),
  unspawned: fact('spawn.failed', { ...IN_SLOT, code: 'EAGAIN', message: 'no more' }),
  asks: fact('takeover.said', { channel: 700 }),
  exited: fact('worker.exited', { ...IN_SLOT, code: 1, signal: null }),
} as const;

export const alarmFired = (alarm: string): PlainEvent => fact('alarm.fired', { alarm });
