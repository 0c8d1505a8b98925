/**
 * Ways in which a reload goes wrong without its safeguards: each is switched off alone, or with those that would
 * catch the same, and the search has to find what it was there for.
 */
import { allStopped } from '../../../machines/slots.js';
import { supervisorMachine } from '../../../machines/supervisor.js';
import type { ProductOptions } from './product.js';
import type { Safeguard } from './safeguards.js';
import { faultsWith, serviceWith } from './searches.js';
import type { Faults } from './world.js';

export interface Break {
  /** What happens then, in a sentence that ends "without …". */
  readonly happens: string;
  readonly off: readonly Safeguard[];
  readonly machines?: ProductOptions['machines'];
  readonly handoff: 'overlap' | 'exclusive';
  /** What has to go wrong before it is needed. */
  readonly faults: Partial<Faults>;
  readonly breaks: RegExp;
  /** Something else is broken before: the search goes on until it finds this. */
  readonly only?: boolean;
}

const NEVER = /^G6\/G7: it never comes right/;
const exclusive = 'exclusive' as const;
const overlap = 'overlap' as const;

/** Each safeguard by itself. */
export const ALONE: readonly Break[] = [
  {
    happens: 'both alarms fire and each generation kills the other, without a token',
    off: ['token'],
    handoff: exclusive,
    faults: {},
    breaks: /^G1: nobody is in charge/,
  },
  {
    happens: "workers of both generations are active, without the predecessor's life pipe",
    off: ['predecessorPipe'],
    handoff: exclusive,
    faults: { kills: 1 },
    breaks: /^G3/,
  },
  {
    happens: "a late ok makes a worker of a dead successor active, without the successor's life pipe",
    off: ['successorPipe'],
    handoff: exclusive,
    faults: { kills: 1 },
    breaks: /^G3/,
  },
  {
    happens: 'a successor acts on that was said to be refused, without waiting for its exit',
    off: ['exit'],
    handoff: overlap,
    faults: {},
    breaks: /^G5: refused, and the successor lives/,
  },
  {
    happens: 'a successor that hangs after the grant holds everything up, without the commit alarm',
    off: ['commitAlarm'],
    handoff: exclusive,
    faults: { hangs: 1 },
    breaks: NEVER,
  },
  {
    happens: 'a predecessor that hangs is never ended, without the leave alarm',
    off: ['leaveAlarm'],
    handoff: overlap,
    faults: { hangs: 1 },
    breaks: NEVER,
  },
  {
    happens: 'a successor that hangs with the token holds everything up, without the yield alarm',
    off: ['yieldAlarm'],
    handoff: overlap,
    faults: { hangs: 1 },
    breaks: NEVER,
  },
  {
    happens: 'workers drain for a successor that has said that it failed, without looking first',
    off: ['looking'],
    handoff: exclusive,
    faults: { crashes: 1 },
    breaks: /^G4/,
  },
  {
    happens: 'a successor is killed for silence that has spoken, without looking when an alarm fires',
    off: ['looking'],
    handoff: overlap,
    faults: {},
    breaks: /^G5: the successor is killed for its silence/,
  },
  {
    happens: 'a stop is undone, without passing it on',
    off: ['relay'],
    handoff: overlap,
    faults: { stops: 1 },
    breaks: NEVER,
  },
  {
    happens: 'the pid file names a dead successor, without writing it again after an abort',
    off: ['pid'],
    handoff: overlap,
    faults: { hangs: 1 },
    breaks: /^G1: the pid file names somebody else/,
  },
];

/** The two holes of the reference's protocol, and what else a version without these safeguards ran into. */
export const TOGETHER: readonly Break[] = [
  {
    happens:
      'hole (a): a slow predecessor is killed, and its orphan is active with the workers of the successor',
    off: ['predecessorPipe'],
    handoff: exclusive,
    faults: { hangs: 1 },
    breaks: /^G3/,
  },
  {
    happens:
      "hole (b): the predecessor has drained, the successor's worker crashes in takeover, both are gone",
    off: ['patience', 'perseverance'],
    handoff: exclusive,
    faults: { crashes: 1 },
    breaks: /^G1: nobody is in charge/,
  },
  {
    happens: 'nobody is in charge: the predecessor is killed, and a successor that has failed gives up',
    off: ['perseverance'],
    handoff: overlap,
    faults: { kills: 1 },
    breaks: /^G1: nobody is in charge/,
  },
  {
    happens: 'a false promoted: the token is gone, and the successor has not taken charge',
    off: ['word'],
    handoff: overlap,
    faults: {},
    breaks: /^G5: promoted, and the successor has not taken charge/,
  },
  {
    happens: 'a stranger may start: the lock is given back while the other generation lives',
    off: [],
    machines: {
      supervisor: supervisorMachine.provide({
        guards: { mayRelease: ({ context }) => allStopped(context.slots) },
      }),
    },
    handoff: overlap,
    faults: { stops: 1 },
    breaks: /^G1: the lock is given back/,
  },
  {
    happens: 'both are in charge: both take the token, and whoever was killed counts as gone at once',
    off: ['token', 'exit'],
    handoff: overlap,
    faults: {},
    breaks: /^G1: both are in charge/,
    only: true,
  },
];

export const optionsOf = ({ off, machines = {}, handoff, faults }: Break): ProductOptions => ({
  service: serviceWith({ handoff }),
  faults: faultsWith(faults),
  off,
  machines,
});
