/**
 * The predecessor's part in its world: a successor that starts, talks, takes the token, or dies at any time.
 */

import type { Handoff } from '../../machines/policy.js';
import type { reloadMachine } from '../../machines/reload.js';
import type { Covered } from '../../src/testing/coverage.js';
import {
  alarmsOf,
  begin,
  type PlainEvent,
  type Step,
  saidTo,
  sentTo,
  typesOf,
} from '../../src/testing/drive.js';
import type { Edge, Model } from '../../src/testing/walk.js';
import { settingsWith } from './settings.js';

export type ReloadCovered = Covered<typeof reloadMachine>;

interface World {
  readonly successor: 'starting' | 'alive' | 'dead' | 'unspawned';
  /** Its life pipe has ended. */
  readonly departed: boolean;
  readonly token: 'there' | 'ours' | 'theirs';
  /** Words it has said, so that it says none twice. */
  readonly said: readonly string[];
  /** Answers that are owed, oldest first: orders given before it was spawned are answered after. */
  readonly owed: readonly ('inbox' | 'token' | 'count')[];
  /** The messages it left behind have been read. */
  readonly read: boolean;
  readonly killed: boolean;
  /** Its workers may have served, as far as can be known here. */
  readonly served: boolean;
  readonly verdicts: readonly string[];
}

type Happening = PlainEvent;
type ReloadEdge = Edge<typeof reloadMachine, World, Happening>;
type ReloadModel = Model<typeof reloadMachine, World, Happening>;

export const SUCCESSOR = 201;
const AT = { atMs: 2_000 };
const LEFTOVER = { pid: 301, startTime: '1' };

/** States that wait without an alarm, and why that is right. */
export const UNALARMED: Readonly<Record<string, string>> = {
  'undecided.lastLook': 'our own event loop answers inbox.read',
  'undecided.looking': 'our own event loop answers inbox.read',
  'undecided.finalLook': 'our own event loop answers inbox.read',
  'yielding.looking': 'our own event loop answers inbox.read',
  'leaving.introducing': 'our own event loop answers inbox.read',
  'burying.reading': 'our own event loop answers inbox.read',
  claiming: 'the kernel answers token.take at once',
  'burying.counting': 'our own process answers leftovers.kill at once',
  'leaving.finishing': 'our own drain alarms bound our workers, and the successor’s leave alarm bounds us',
  ended: 'nothing is waited for',
};

const spoken = (world: World, step: Step<typeof reloadMachine>): readonly Happening[] => {
  const { said } = world;
  const asked = said.includes('takeover.requested');
  const committed = said.includes('successor.committed');
  const talks = world.successor === 'alive' || (world.successor === 'dead' && !world.read);
  if (!talks) return [];
  const once = (type: string, may: boolean, payload: object = {}): readonly Happening[] =>
    may && !said.includes(type) ? [{ type, ...payload, ...AT }] : [];
  const lastWord = said.includes('successor.failed') || said.includes('stop.relayed');
  return [
    ...once('takeover.requested', !lastWord),
    ...once('successor.failed', !committed, { reason: 'worker-exited', detail: 'worker 1 exited' }),
    ...once('successor.activated', asked && world.served && !committed && world.token !== 'ours', {
      probationMs: 9_000,
      limitMs: 14_000,
    }),
    ...once('successor.committed', asked && !lastWord && world.token !== 'ours'),
    ...once('stop.relayed', true),
    ...(step.context.workers.length === 0 ? [{ type: 'successor.workers', workers: [LEFTOVER], ...AT }] : []),
  ];
};

const answers = (world: World): readonly Happening[] => {
  if (world.successor === 'starting' || world.successor === 'unspawned') return [];
  switch (world.owed[0]) {
    case 'inbox':
      return [{ type: 'inbox.empty', ...AT }];
    case 'token': {
      const mayBeTheirs = world.said.includes('takeover.requested') && world.token !== 'ours';
      return [
        ...(world.token === 'theirs' ? [] : [{ type: 'token.taken', ...AT }]),
        ...(mayBeTheirs ? [{ type: 'token.gone', ...AT }] : []),
      ];
    }
    case 'count':
      return [0, 1].map((remaining) => ({ type: 'leftovers.counted', remaining, ...AT }));
    default:
      return [];
  }
};

const exit = (pid: number): Happening => ({
  type: 'successor.exited',
  pid,
  code: null,
  signal: 'SIGKILL',
  ...AT,
});
/** It was told to stop, by somebody who told nobody else. */
const stops: Happening = { type: 'successor.exited', pid: SUCCESSOR, code: 0, signal: null, ...AT };

const deaths = (world: World): readonly Happening[] => [
  ...(world.successor === 'alive' ? [exit(SUCCESSOR)] : []),
  ...(world.successor === 'alive' && world.said.includes('successor.committed') ? [stops] : []),
  // The end of a life pipe and of a process are seen in any order.
  ...((world.successor === 'alive' || world.successor === 'dead') && !world.departed
    ? [{ type: 'successor.departed', ...AT }]
    : []),
  // A late fact about a process of an earlier reload.
  exit(SUCCESSOR - 1),
];

const orders = (handoff: Handoff, step: Step<typeof reloadMachine>): readonly Happening[] => [
  { type: 'reload.abort', ...AT },
  { type: 'reload.join', id: 'b' },
  { type: 'workers.changed', workers: [] },
  ...((handoff === 'exclusive' && step.state === 'undecided.draining') || step.state.startsWith('leaving')
    ? [{ type: 'workers.drained' }]
    : []),
  ...(step.state.startsWith('leaving') ? [{ type: 'reload.anchor', pid: 100, startTime: '1' }] : []),
];

const problemsOf =
  (handoff: Handoff, key: ReloadModel['key']) =>
  ({ before, happening, after }: ReloadEdge): readonly string[] => {
    const { step, world } = after;
    const { state, context } = step;
    const problems: string[] = [];
    const must = (truth: boolean, words: string) => {
      if (!truth) problems.push(words);
    };
    must(alarmsOf(step).length > 0 || state in UNALARMED, 'it waits for another process without an alarm');
    const sent = typesOf(sentTo(step, 'successor'));
    const said = saidTo(step, 'successor');
    if (sent.includes('successor.kill')) {
      must(
        world.successor === 'alive' || world.successor === 'starting',
        'a kill order without a live target',
      );
      const yielded = before?.step.state === 'yielding.looking' || before?.step.state === 'killing';
      must(world.token === 'ours' || yielded, 'it kills before it has taken the token');
    }
    const served = before?.world.served ?? false;
    if (served && sent.includes('leftovers.kill')) {
      const waited = ['burying.mourning', 'burying.sweeping', 'burying.counting'].includes(
        before?.step.state ?? '',
      );
      must(waited, 'workers that may serve are killed before their drain timeout');
    }
    if (said.includes('granted')) {
      must(world.token !== 'ours', 'it grants what it has aborted');
      must(
        handoff === 'overlap' || before?.step.state === 'undecided.draining',
        'it grants before it has drained',
      );
    }
    must(
      said.includes('anchored') === (happening?.type === 'reload.anchor'),
      'the successor is not told of the anchor, or of none',
    );
    const reported = typesOf(step.reports);
    must(
      !reported.includes('reload.anchored') || happening?.type === 'inbox.empty',
      'everything is closed before the word is out',
    );
    if (reported.includes('reload.promoted')) {
      must(world.said.includes('successor.committed'), 'promoted, and the successor has not said so');
      must(before?.world.verdicts.includes('reload.promoted') === false, 'promoted twice');
    }
    if (reported.includes('reload.refused') || reported.includes('successor.gone')) {
      const has = (word: string) => world.said.includes(`successor.${word}`);
      const outcome = has('activated') || has('committed') ? 'rolled-back' : 'refused';
      must(
        step.reports.every((report) => report.type !== 'reload.refused' || report.outcome === outcome),
        'it does not know whether workers of the successor have served',
      );
      const dead = world.successor === 'dead' || world.successor === 'unspawned';
      must(dead, 'refused, and the successor lives');
      const counted = happening?.type === 'leftovers.counted' && happening.remaining === 0;
      must(
        handoff === 'overlap' || world.departed || counted || world.successor === 'unspawned',
        'exclusive: refused while something of the successor lives',
      );
    }
    const ended = state === 'ended' && before?.step.state !== 'ended';
    const ends = reported.filter((type) =>
      ['reload.refused', 'successor.gone', 'reload.anchored'].includes(type),
    );
    must(ends.length === (ended ? 1 : 0), 'a reload ends with one verdict, and a verdict ends it');
    if (ended && context.committed && context.stopping && !reported.includes('reload.anchored'))
      must(reported.includes('successor.gone'), 'it comes back though both were to stop');
    if (
      happening?.type === 'successor.exited' &&
      happening.code === 0 &&
      before?.step.state.startsWith('leaving')
    )
      must(context.stopping, 'it comes back though the successor was told to stop');
    // Whoever is dead is noticed: nothing waits for a successor that has exited.
    if (world.successor === 'dead')
      must(state.startsWith('burying') || state === 'ended', 'it waits for a dead successor');
    if (world.successor === 'unspawned')
      must(state === 'ended', 'it waits for a successor that was never there');
    // Who has said that it is in charge is believed until an alarm says otherwise.
    if (happening?.type === 'successor.committed' && world.successor === 'alive' && !world.killed)
      must(state.startsWith('leaving'), 'it does not hear that the successor is in charge');
    if (world.said.includes('successor.committed') && before?.world.successor === 'alive')
      must(
        !sent.includes('successor.kill') || before.world.killed,
        'it kills a successor that said it is in charge',
      );
    if (happening?.type === 'successor.exited' && happening.pid !== SUCCESSOR && before !== null)
      must(key(before.step, before.world) === key(step, world), 'a late fact changes something');
    return problems;
  };

export const reloadModel = (covered: ReloadCovered, handoff: Handoff): ReloadModel => {
  const start = begin(covered.machine, {
    settings: settingsWith({ handoff }),
    record: {
      version: 1,
      tanist: '0.0.0',
      name: 'daemon',
      pidFile: '/run/daemon.pid',
      handoff,
      generation: 2,
      predecessor: { pid: 100, startTime: '1' },
      workers: [],
      requestedAtMs: 1_000,
      ids: ['a'],
      hangupStops: false,
      descriptors: { lock: 3, token: 4, lifeWrite: 5, lifeRead: 6, peerRead: 7, fence: null },
      listeners: [],
    },
    descriptors: { lock: 3, lifeRead: 6, fence: null, anchor: null, listeners: [] },
  });
  const key: ReloadModel['key'] = ({ state, context }, world) =>
    JSON.stringify([
      state,
      world,
      [context.served, context.committed, context.departed, context.stopping, context.successor !== null],
      [context.failure?.reason, context.workers.length, context.killed, context.activated],
    ]);
  return {
    covered,
    start,
    world: {
      successor: 'starting',
      departed: false,
      token: 'there',
      said: [],
      owed: [],
      read: false,
      killed: false,
      served: false,
      verdicts: [],
    },
    key,
    happenings: (step, world) => [
      ...answers(world),
      ...(world.successor === 'starting'
        ? [
            { type: 'successor.spawned', generation: 2, pid: SUCCESSOR, startTime: '1', ...AT },
            { type: 'successor.unspawned', generation: 2, code: 'ENOENT', message: 'node is gone', ...AT },
          ]
        : []),
      ...spoken(world, step),
      ...deaths(world),
      ...orders(handoff, step),
      ...alarmsOf(step).map(({ alarm }) => ({ type: 'alarm.fired', alarm, ...AT })),
    ],
    happen: (world, happening) => ({ world: happenTo(world, happening), facts: [happening] }),
    react: (world, step) => ({ world: reactTo(world, step), facts: [] }),
    isEnd: (state) => state === 'ended',
    problems: problemsOf(handoff, key),
  };
};

const happenTo = (world: World, happening: Happening): World => {
  switch (happening.type) {
    case 'successor.spawned':
      return { ...world, successor: 'alive' };
    case 'successor.unspawned':
      return { ...world, successor: 'unspawned', owed: [] };
    case 'successor.exited':
      return happening.pid === SUCCESSOR ? { ...world, successor: 'dead' } : world;
    case 'successor.departed':
      return { ...world, departed: true };
    case 'token.taken':
      return { ...world, token: 'ours', owed: world.owed.slice(1) };
    case 'token.gone':
      return {
        ...world,
        token: 'theirs',
        // The answer came too late for a successor that was gone by then.
        served: world.served || world.successor === 'alive',
        owed: world.owed.slice(1),
      };
    case 'inbox.empty':
      return { ...world, owed: world.owed.slice(1), read: world.read || world.successor === 'dead' };
    case 'leftovers.counted':
      return { ...world, owed: world.owed.slice(1) };
    case 'successor.committed':
      return { ...world, token: 'theirs', served: true, said: [...world.said, happening.type].sort() };
    case 'takeover.requested':
    case 'successor.activated':
    case 'successor.failed':
    case 'stop.relayed':
      return { ...world, said: [...world.said, happening.type].sort() };
    default:
      return world;
  }
};

const OWED: Readonly<Record<string, World['owed'][number]>> = {
  'inbox.read': 'inbox',
  'token.take': 'token',
  'leftovers.kill': 'count',
};

const reactTo = (world: World, step: Step<typeof reloadMachine>): World => {
  const sent = typesOf(sentTo(step, 'successor'));
  const owed = sent.reduce<World['owed']>((list, type) => {
    const answer = OWED[type];
    // A second look while the first is owed is answered once.
    return answer === undefined ? list : [...list.filter((item) => item !== answer), answer];
  }, world.owed);
  const verdicts = typesOf(step.reports).filter((type) => type === 'reload.promoted');
  return {
    ...world,
    owed,
    served: world.served || saidTo(step, 'successor').includes('granted'),
    killed: world.killed || sent.includes('successor.kill'),
    verdicts: [...world.verdicts, ...verdicts],
  };
};
