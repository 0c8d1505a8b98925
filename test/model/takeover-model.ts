/**
 * The successor's part in its world: a predecessor that grants, drains, hangs, takes the token, or dies at any time.
 */
import { isChecked, type Settings } from '../../machines/policy.js';
import type { takeoverMachine } from '../../machines/takeover.js';
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

export type TakeoverCovered = Covered<typeof takeoverMachine>;

interface World {
  readonly predecessor: 'alive' | 'dead';
  /** The end of its socket has been seen. */
  readonly ended: boolean;
  /** Its life pipe has ended. */
  readonly departed: boolean;
  readonly token: 'there' | 'ours' | 'theirs';
  /** Words it has said, so that it says none twice. */
  readonly heard: readonly string[];
  readonly owed: readonly ('inbox' | 'token' | 'count' | 'charge')[];
  readonly slots: 'starting' | 'ready' | 'failed';
  /** Workers are asked whether they are well. */
  readonly checks: boolean;
  /** What was said and reported, in order, without the repetitions of alarms. */
  readonly asked: boolean;
  readonly activated: boolean;
  /** The predecessor was told that they may. */
  readonly announced: boolean;
  /** The last check of every worker has passed. */
  readonly healthy: boolean;
  readonly charged: number;
  readonly committed: number;
  /** How often the other side was told to stop. */
  readonly stops: number;
}

type Happening = PlainEvent;
type TakeoverStep = Step<typeof takeoverMachine>;
type TakeoverEdge = Edge<typeof takeoverMachine, World, Happening>;
type TakeoverModel = Model<typeof takeoverMachine, World, Happening>;

const AT = { atMs: 3_000 };
const LEFTOVER = { pid: 302, startTime: '1' };

/** States that wait without an alarm, and why that is right. */
export const UNALARMED: Readonly<Record<string, string>> = {
  'undecided.warming': 'the start timeout bounds every worker, and the predecessor’s reload alarm bounds us',
  'undecided.looking': 'our own event loop answers inbox.read',
  'undecided.waitingLook': 'our own event loop answers inbox.read',
  'activated.announcing': 'our own event loop answers inbox.read',
  'leaving.departing': 'our own event loop answers inbox.read',
  'leaving.looking': 'our own event loop answers inbox.read',
  'leaving.burying': 'our own event loop answers inbox.read',
  'undecided.claiming': 'the kernel answers token.take at once',
  'committing.taking': 'the kernel answers token.take at once',
  'alone.claiming': 'the kernel answers token.take at once',
  'alone.counting': 'our own process answers leftovers.kill at once',
  'activated.starting': 'the start timeout bounds every worker',
  charging: 'our own process answers control.claim, with success or failure',
  ended: 'nothing is waited for',
};

const spoken = (settings: Settings, world: World, step: TakeoverStep): readonly Happening[] => {
  const { heard } = world;
  // Its messages are read before the end of its socket, and nothing after it.
  if (world.ended) return [];
  const once = (type: string, may: boolean): readonly Happening[] =>
    may && !heard.includes(type) ? [{ type, ...AT }] : [];
  const exclusive = settings.handoff === 'exclusive';
  const undecided = world.asked && world.token !== 'theirs';
  return [
    ...once('predecessor.draining', undecided && exclusive && !heard.includes('predecessor.granted')),
    ...once('predecessor.granted', undecided && (!exclusive || heard.includes('predecessor.draining'))),
    ...once(
      'predecessor.drained',
      world.committed > 0 && (world.stops > 0 || heard.includes('stop.relayed')),
    ),
    ...once('predecessor.anchored', world.committed > 0),
    ...once('stop.relayed', world.committed > 0),
    { type: 'reload.joined', id: 'b', ...AT },
    ...(step.context.workers.length === 0
      ? [{ type: 'predecessor.workers', workers: [LEFTOVER], ...AT }]
      : []),
  ];
};

const answers = (world: World): readonly Happening[] => {
  const [owed] = world.owed;
  switch (owed) {
    case 'inbox':
      return [{ type: 'inbox.empty', ...AT }];
    case 'token':
      return [
        ...(world.token === 'there' ? [{ type: 'token.taken', ...AT }] : []),
        { type: 'token.gone', ...AT },
      ];
    case 'count':
      return [0, 1].map((remaining) => ({ type: 'leftovers.counted', remaining, ...AT }));
    case 'charge':
      return [{ type: 'charge.taken', ...AT }];
    default:
      return [];
  }
};

const orders = (world: World): readonly Happening[] => [
  { type: 'takeover.stop' },
  { type: 'workers.changed', workers: [] },
  ...(world.slots === 'failed' ? [] : [{ type: 'slots.ready' }]),
  ...(world.slots === 'failed' || world.charged > 0
    ? []
    : [{ type: 'slot.failed', reason: 'worker-exited', detail: 'worker 1 exited', ...AT }]),
  ...(world.checks && world.activated && world.charged === 0
    ? [true, false].map((healthy) => ({ type: 'slots.checked', healthy }))
    : []),
];

const deaths = (world: World): readonly Happening[] => [
  ...(world.ended ? [] : [{ type: 'predecessor.ended', ...AT }]),
  // The end of a life pipe and of a socket are seen in any order.
  ...(world.departed ? [] : [{ type: 'predecessor.departed', ...AT }]),
];

const problemsOf =
  (settings: Settings) =>
  ({ before, happening, after }: TakeoverEdge): readonly string[] => {
    const { step, world } = after;
    const { state, context } = step;
    const exclusive = settings.handoff === 'exclusive';
    const problems: string[] = [];
    const must = (truth: boolean, words: string) => {
      if (!truth) problems.push(words);
    };
    must(alarmsOf(step).length > 0 || state in UNALARMED, 'it waits for another process without an alarm');
    const sent = typesOf(sentTo(step, 'predecessor'));
    const said = saidTo(step, 'predecessor');
    const reported = typesOf(step.reports);
    const dead = world.predecessor === 'dead';
    if (sent.includes('predecessor.kill')) {
      must(!dead, 'a kill order without a live target');
      must(world.token === 'ours', 'it kills before it has taken the token');
    }
    if (sent.includes('leftovers.kill')) must(dead, 'workers are killed while their supervisor lives');
    if (reported.includes('takeover.activated')) {
      const granted = world.heard.includes('predecessor.granted');
      must(granted || world.token === 'ours' || dead, 'it serves without a grant');
      const counted = happening?.type === 'leftovers.counted' && happening.remaining === 0;
      must(
        !exclusive || granted || world.departed || counted,
        'exclusive: it serves while the predecessor’s workers may',
      );
    }
    if (reported.includes('takeover.activated'))
      must(
        dead || before?.world.announced === true,
        'its workers may serve, and the predecessor does not know',
      );
    for (const report of step.reports) {
      if (report.type !== 'takeover.failed') continue;
      const outcome = before?.world.announced ? 'rolled-back' : 'refused';
      must(report.outcome === outcome, 'it does not know whether its workers have served');
    }
    if (state.startsWith('committing') && sent.includes('token.take'))
      must(!world.checks || world.healthy, 'it takes charge while a worker is not well');
    if (reported.includes('takeover.charged')) {
      must(world.token === 'ours' || dead, 'it takes charge without the token');
      must(world.activated, 'it takes charge before its workers may serve');
      must(world.charged === 1, 'it takes charge twice');
    }
    if (said.includes('committed')) {
      must(happening?.type === 'charge.taken', 'committed is said before pid and control path are ours');
      must(world.committed === 1, 'committed is said twice');
    }
    must(
      reported.includes('takeover.committed') === said.includes('committed'),
      'one knows and the other does not',
    );
    if (said.includes('failed')) must(world.charged === 0, 'it fails after it took charge');
    must(
      reported.includes('predecessor.gone') === (state === 'ended'),
      'the end of the predecessor is told once',
    );
    // One that was sent SIGKILL becomes nothing any more, whatever it said before.
    const staysOn = happening?.type === 'predecessor.anchored' && state === 'ended';
    must(
      reported.includes('anchor.introduced') === staysOn,
      'an anchor is not told, or one that does not stay',
    );
    must(
      happening?.type !== 'predecessor.anchored' ||
        staysOn ||
        ['leaving.relieving', 'leaving.burying'].includes(state),
      'it waits for an anchor',
    );
    if (state === 'ended') {
      const drained = world.heard.includes('predecessor.drained') && context.stopping;
      const anchored = world.heard.includes('predecessor.anchored');
      must(dead || drained || anchored, 'it ends while the predecessor lives and does not wait for it');
    }
    // A stop is never lost: it is passed on, or the predecessor is gone.
    if (context.stopping && state.startsWith('leaving'))
      must(world.stops > 0 || world.heard.includes('stop.relayed'), 'a stop is not passed on');
    // Only the kernel's word lets a failed generation go on, and then it does.
    if (world.predecessor === 'dead')
      must(!state.startsWith('undecided') && !state.startsWith('doomed'), 'it waits for a dead predecessor');
    return problems;
  };

export const takeoverModel = (covered: TakeoverCovered, changes: Partial<Settings>): TakeoverModel => {
  const settings = settingsWith(changes);
  const start = begin(covered.machine, {
    settings,
    predecessor: { pid: 100, startTime: '1' },
    workers: [],
    messages: 3,
    token: 4,
    lifeRead: 7,
  });
  return {
    covered,
    start,
    world: {
      predecessor: 'alive',
      ended: false,
      departed: false,
      token: 'there',
      heard: [],
      owed: [],
      slots: 'starting',
      asked: false,
      checks: isChecked(settings),
      activated: false,
      announced: false,
      healthy: false,
      charged: 0,
      committed: 0,
      stops: 0,
    },
    key: ({ state, context }, world) =>
      JSON.stringify([
        state,
        world,
        [context.activated, context.healthy],
        [context.ready, context.decided, context.dead, context.departed, context.stopping],
        [context.failure?.reason, context.workers.length],
      ]),
    happenings: (step, world) => [
      ...answers(world),
      ...spoken(settings, world, step),
      ...deaths(world),
      ...orders(world),
      ...alarmsOf(step).map(({ alarm }) => ({ type: 'alarm.fired', alarm, ...AT })),
    ],
    happen: (world, happening) => ({ world: happenTo(world, happening), facts: [happening] }),
    react: (world, step) => ({ world: reactTo(world, step), facts: [] }),
    isEnd: (state) => state === 'ended',
    problems: problemsOf(settings),
  };
};

const happenTo = (world: World, happening: Happening): World => {
  const answered = { ...world, owed: world.owed.slice(1) };
  switch (happening.type) {
    case 'inbox.empty':
    case 'leftovers.counted':
    case 'charge.taken':
      return answered;
    case 'token.taken':
      return { ...answered, token: 'ours' };
    case 'token.gone':
      return { ...answered, token: world.token === 'ours' ? 'ours' : 'theirs' };
    case 'predecessor.ended':
      return { ...world, predecessor: 'dead', ended: true };
    case 'predecessor.departed':
      return { ...world, predecessor: 'dead', departed: true };
    case 'slots.ready':
      return { ...world, slots: 'ready' };
    case 'slots.checked':
      return { ...world, healthy: happening.healthy === true };
    case 'slot.failed':
      return { ...world, slots: 'failed' };
    case 'predecessor.granted':
    case 'predecessor.draining':
    case 'predecessor.drained':
    case 'predecessor.anchored':
    case 'stop.relayed':
      return { ...world, heard: [...world.heard, happening.type].sort() };
    default:
      return world;
  }
};

const OWED: Readonly<Record<string, World['owed'][number]>> = {
  'inbox.read': 'inbox',
  'token.take': 'token',
  'leftovers.kill': 'count',
};

const reactTo = (world: World, step: TakeoverStep): World => {
  const sent = typesOf(sentTo(step, 'predecessor'));
  const said = saidTo(step, 'predecessor');
  const reported = typesOf(step.reports);
  const charges = reported.filter((type) => type === 'takeover.charged').length;
  const owed = sent.flatMap((type) => OWED[type] ?? []);
  return {
    ...world,
    // The kernel answers first, and a second look while one is owed is answered once.
    owed: [
      ...owed.filter((item) => item === 'token'),
      ...world.owed.filter((item) => !owed.includes(item)),
      ...owed.filter((item) => item !== 'token'),
      ...(charges > 0 ? (['charge'] as const) : []),
    ],
    asked: world.asked || said.includes('takeover'),
    announced: world.announced || said.includes('activated'),
    activated: world.activated || reported.includes('takeover.activated'),
    charged: world.charged + charges,
    committed: world.committed + said.filter((word) => word === 'committed').length,
    stops: Math.min(1, world.stops + said.filter((word) => word === 'stop').length),
  };
};
