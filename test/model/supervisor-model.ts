/**
 * A supervisor in its world: facilities that answer or fail, slots, another generation, and requests at any time.
 *
 * Slots and the other generation are stubs that keep the words of their machines, each of which has a walk of its
 * own. What a stub reports because of an order is delivered before anything else happens, as actors do.
 */
import { fromCallback } from 'xstate';
import { isTooMuch } from '../../machines/memory.js';
import type { Settings } from '../../machines/policy.js';
import { isChecked, startsAfterGrant } from '../../machines/policy.js';
import { isAbout, type SlotRecord } from '../../machines/slots.js';
import { type SupervisorInput, supervisorMachine } from '../../machines/supervisor.js';
import type { WorkerInput } from '../../machines/worker.js';
import type { Covered } from '../../src/testing/coverage.js';
import {
  alarmsOf,
  begin,
  childrenOf,
  type PlainEvent,
  type Spawn,
  type Step,
  typesOf,
} from '../../src/testing/drive.js';
import type { Edge, Model } from '../../src/testing/walk.js';
import { settingsWith } from './settings.js';
import {
  AT,
  chance,
  chances,
  isFilled,
  lives,
  measures,
  nameOf,
  newStub,
  obey,
  pidOf,
  type SlotStub,
} from './slot-stub.js';

export type SupervisorCovered = Covered<typeof supervisorMachine>;

type Facility =
  | 'lock'
  | 'fence'
  | 'listeners'
  | 'identity'
  | 'lifePipe'
  | 'service'
  | 'control'
  | 'release'
  | 'removal';

interface World {
  readonly owed: readonly Facility[];
  readonly slots: readonly SlotStub[];
  readonly reload: 'none' | 'starting' | 'warming' | 'handoff' | 'promoted' | 'lost' | 'ended';
  /** The reload machine was told that all our workers are gone. */
  readonly drained: boolean;
  /** It is to tell the successor that this process stays. */
  readonly telling: boolean;
  readonly takeover: 'none' | 'warming' | 'asked' | 'activated' | 'alone' | 'charged' | 'committed' | 'ended';
  /** The takeover machine has given up, and waits for the predecessor to do something about it. */
  readonly doomed: boolean;
  readonly ready: boolean;
  readonly predecessor: 'none' | 'alive' | 'dead';
  /** The link has been told of a stop, by us or by the other side. */
  readonly stopping: boolean;
  /** The command that waits for a daemonized start. */
  readonly starter: 'none' | 'waits' | 'told' | 'gone';
  /** A client waits for a verdict. */
  readonly waiting: boolean;
  /** The first process's end of the socket pair: made, and read once it is an anchor. */
  readonly service: 'none' | 'made' | 'watched' | 'ended';
  readonly concluded: 'no' | 'well' | 'badly';
  /** A later generation's end of it: open while it is in charge. `inert`: the first process has died. */
  readonly anchor: 'none' | 'inherited' | 'open' | 'inert';
  /** The first process has said that it stays. */
  readonly introduced: boolean;
  /** A client waits for another number of workers. */
  readonly scaling: boolean;
  /** An order went to a child that had ended, or to nobody. */
  readonly lost: string | null;
}

type Happening = PlainEvent;
type SupervisorStep = Step<typeof supervisorMachine>;
type SupervisorEdge = Edge<typeof supervisorMachine, World, Happening>;
type SupervisorModel = Model<typeof supervisorMachine, World, Happening>;
interface Outcome {
  readonly world: World;
  readonly facts: readonly PlainEvent[];
}

const LEFTOVER = { pid: 601, startTime: '1' };
const SUCCESSOR = 201;
const NOBODY = { user: 'nobody', uid: 65_534, gid: 65_534 };
const ANCHOR = { pid: 90, startTime: '1' };

/** States that wait without an alarm of their own, and why that is right. */
export const UNALARMED: Readonly<Record<string, string>> = {
  'idle.locking': 'our own process answers, held or acquired',
  'idle.binding': 'our own process answers, bound or failed',
  'idle.assuming': 'our own process answers, assumed or failed',
  'idle.opening': 'our own process answers, opened or failed',
  'idle.mooring': 'our own process answers, prepared or failed',
  'idle.publishing': 'our own process answers, claimed or failed',
  'idle.proving': 'every slot has its alarms',
  'idle.starting': 'every slot has its alarms',
  'idle.warming': 'every slot has its start alarm, and the predecessor its reload alarm',
  running: 'every slot has its alarms',
  respawning: 'every slot has its alarms',
  reloading: 'the reload machine has its alarms',
  takeover: 'the takeover machine has its alarms',
  'handoff.draining': 'every slot has its drain alarm',
  'handoff.granting': 'the reload machine has its commit alarm',
  'handoff.leaving': 'every slot has its drain alarm',
  'handoff.returning': 'the reload machine has its bury alarm',
  'handoff.introducing': 'our own process answers at once, or the reload machine has its bury alarm',
  'anchored.watching': 'the kernel tells the end of the last generation, and each of them has its alarms',
  'stopping.draining': 'every slot has its drain alarm, and the link to another generation its leave alarm',
  stopped: 'nothing is waited for',
  failed: 'nothing is waited for',
};

const isFinal = (state: string): boolean => state === 'stopped' || state === 'failed';
const none = (world: World): Outcome => ({ world, facts: [] });
const says = (world: World, ...facts: readonly PlainEvent[]): Outcome => ({ world, facts });
const fact = (type: string, more: object = {}): PlainEvent => ({ type, ...more, ...AT });
const failure = (type: string): PlainEvent => fact(type, { code: 'EIO', message: 'it went wrong' });

const ANSWERS: Readonly<Record<Facility, readonly PlainEvent[]>> = {
  lock: [
    fact('lock.acquired', { descriptor: 5 }),
    fact('lock.held', { holderPid: 99, path: '/run/daemon.pid' }),
    failure('lock.failed'),
  ],
  fence: [fact('fence.acquired', { descriptor: 6 }), failure('fence.failed')],
  listeners: [fact('listeners.bound', { listeners: [] }), failure('listeners.failed')],
  identity: [fact('identity.assumed', { ...NOBODY, groups: [NOBODY.gid] }), failure('identity.failed')],
  lifePipe: [fact('lifePipe.opened', { write: 8, read: 9 }), failure('lifePipe.failed')],
  service: [fact('service.prepared', { descriptor: 12 }), failure('service.failed')],
  control: [fact('control.claimed', { path: '/run/daemon.sock' }), failure('control.failed')],
  release: [fact('lock.released')],
  removal: [fact('listeners.removed', { left: [] })],
};

const refused = (reason: string, outcome: string): PlainEvent =>
  fact('reload.refused', {
    outcome,
    generation: 2,
    pid: SUCCESSOR,
    reason,
    detail: 'words',
    leftovers: [LEFTOVER],
  });

/** What the reload machine may report next, by name. */
const reloadChances = (world: World, settings: Settings): readonly string[] => {
  const { reload, drained, stopping } = world;
  const exclusive = settings.handoff === 'exclusive';
  switch (reload) {
    case 'starting':
      return ['started', 'refused'];
    case 'warming':
      return [
        'refused',
        ...(stopping ? [] : ['begun', 'stopped']),
        // It hung, and the successor decided: an exclusive successor would have killed us.
        ...(exclusive ? [] : ['promoted']),
      ];
    case 'handoff':
      return [
        'refused',
        ...(stopping ? [] : ['stopped']),
        ...(exclusive && !drained ? [] : ['promoted']),
        ...(settings.probationMs > 0 && !(exclusive && !drained) ? ['activated'] : []),
      ];
    case 'promoted':
      return [...(stopping ? ['lost'] : ['lost', 'stopped']), ...(world.telling ? ['told'] : [])];
    case 'lost':
      return stopping ? ['gone', 'killed'] : ['gone', 'refused'];
    default:
      return [];
  }
};

/** What was said on a link that is over makes no difference any more. */
const unlinked = { drained: false, telling: false, stopping: false, doomed: false, ready: false };

const reloadHappens = (world: World, what: string): Outcome => {
  switch (what) {
    case 'started':
      return says({ ...world, reload: 'warming' }, fact('reload.started', { pid: SUCCESSOR, generation: 2 }));
    case 'begun':
      return says({ ...world, reload: 'handoff' }, fact('handoff.begun'));
    case 'promoted':
      return says(
        { ...world, reload: 'promoted' },
        fact('reload.promoted', { generation: 2, pid: SUCCESSOR }),
      );
    case 'activated':
      return says(world, fact('reload.activated', { probationMs: 9_000 }));
    case 'stopped':
      return says({ ...world, stopping: true }, fact('stop.requested', { via: 'peer' }));
    case 'told':
      return says({ ...world, ...unlinked, reload: 'ended' }, { type: 'reload.anchored' });
    case 'lost':
      return says({ ...world, telling: false, reload: 'lost' }, fact('successor.lost'));
    case 'gone':
    case 'killed': {
      const gone = fact('successor.gone', { killed: what === 'killed' });
      return says({ ...world, ...unlinked, reload: 'ended' }, gone);
    }
    default:
      return says(
        { ...world, ...unlinked, reload: 'ended' },
        refused(world.stopping ? 'stopped' : 'exited', world.reload === 'lost' ? 'rolled-back' : 'refused'),
      );
  }
};

/** What the takeover machine may report next, by name. */
const takeoverChances = (world: World): readonly string[] => {
  const { takeover, doomed, ready, predecessor } = world;
  const early = ['warming', 'asked', 'activated'].includes(takeover);
  const dies = early && predecessor === 'alive' ? ['dies'] : [];
  const next: Readonly<Record<string, readonly string[]>> = {
    asked: doomed ? [] : ['activated', 'silent'],
    activated: doomed || !ready ? [] : ['charged'],
    alone: ['acts'],
    committed: predecessor === 'alive' ? ['gone', 'stopped', 'joined', 'killed'] : [],
  };
  return [...dies, ...(next[takeover] ?? [])];
};

const gone = fact('predecessor.gone', { leftovers: [LEFTOVER] });

const takeoverHappens = (world: World, what: string): Outcome => {
  switch (what) {
    case 'dies':
      return says({ ...world, predecessor: 'dead', takeover: 'alone' }, fact('predecessor.dead'));
    case 'acts':
      return says({ ...world, takeover: 'charged' }, fact('takeover.activated'), fact('takeover.charged'));
    case 'silent':
      return says(
        { ...world, takeover: 'activated' },
        fact('predecessor.silent', { alarm: 'takeover' }),
        fact('takeover.activated'),
      );
    case 'activated':
      return says({ ...world, takeover: 'activated' }, fact('takeover.activated'));
    case 'charged':
      return says({ ...world, takeover: 'charged' }, fact('takeover.charged'));
    case 'stopped':
      return says({ ...world, stopping: true }, fact('stop.requested', { via: 'peer' }));
    case 'joined':
      return says(world, fact('reload.joined', { id: 'b' }));
    case 'killed':
      return says(world, fact('predecessor.killed', { pid: 100 }));
    default:
      return says({ ...world, ...unlinked, predecessor: 'dead', takeover: 'ended' }, gone);
  }
};

const toReload = (world: World, order: PlainEvent): Outcome => {
  if (world.reload === 'none' || world.reload === 'ended') return none({ ...world, lost: order.type });
  if (order.type === 'reload.abort') return none({ ...world, stopping: true });
  if (order.type === 'workers.drained') return none({ ...world, drained: true });
  // The answer may come after others: the machine may be about to tell that the successor has exited.
  if (order.type === 'reload.anchor') return none({ ...world, telling: true });
  return none(world);
};

const toTakeover = (world: World, order: PlainEvent): Outcome => {
  const { takeover } = world;
  if (takeover === 'none' || takeover === 'ended') return none({ ...world, lost: order.type });
  const early = ['warming', 'asked', 'activated'].includes(takeover);
  switch (order.type) {
    case 'slots.checked': {
      const isSo = world.slots.every(({ healthy }) => healthy === true);
      return none(order.healthy === isSo ? world : { ...world, lost: 'slots.checked, and it is not so' });
    }
    case 'slots.ready':
      if (takeover === 'warming' && !world.doomed)
        return says({ ...world, takeover: 'asked', ready: true }, fact('takeover.asked'));
      return none({ ...world, ready: true });
    case 'slot.failed':
      if (!early || world.doomed) return none(world);
      return says(
        { ...world, doomed: true },
        fact('takeover.failed', { reason: order.reason, detail: order.detail }),
      );
    case 'takeover.stop':
      return none({ ...world, doomed: world.doomed || early, stopping: true });
    case 'charge.taken': {
      const committed = fact('takeover.committed');
      if (world.takeover !== 'charged') return none(world);
      return world.predecessor === 'dead'
        ? says({ ...world, ...unlinked, takeover: 'ended' }, committed, gone)
        : says({ ...world, ready: false, doomed: false, takeover: 'committed' }, committed);
    }
    default:
      return none(world);
  }
};

const toSlot = (world: World, id: string, order: PlainEvent): Outcome => {
  const stub = world.slots.find((candidate) => nameOf(candidate) === id);
  if (stub === undefined) return none({ ...world, lost: order.type });
  const obeyed = obey(stub, order);
  return {
    world: { ...world, slots: world.slots.map((other) => (other === stub ? obeyed.stub : other)) },
    facts: obeyed.reports,
  };
};

const owing = (world: World, facility: Facility): World => ({
  ...world,
  owed: [...world.owed.filter((other) => other !== facility), facility],
});

const toControl = (world: World, order: PlainEvent): Outcome => {
  if (order.type === 'control.claim') return none(owing(world, 'control'));
  if (order.type === 'scale.answer') return none({ ...world, scaling: false });
  return none(order.type === 'control.answer' ? { ...world, waiting: false } : world);
};

const FACILITIES: Readonly<Record<string, Facility>> = {
  flock: 'lock',
  fence: 'fence',
  listeners: 'listeners',
  identity: 'identity',
  lifePipe: 'lifePipe',
  service: 'service',
};

const isSlot = (id: string): boolean => /^worker-\d+$/.test(id);

const spawns =
  (settings: Settings) =>
  (world: World, { src, input }: Spawn, successor: boolean): Outcome => {
    const facility = FACILITIES[src];
    // What a successor inherits is adopted, and nobody waits for the answer.
    if (facility !== undefined) return none(successor ? world : owing(world, facility));
    if (src === 'worker')
      return none({
        ...world,
        slots: [
          ...world.slots,
          {
            ...newStub(
              (input as WorkerInput).slot,
              (input as WorkerInput).admitted,
              (input as WorkerInput).place,
            ),
            retained: (input as WorkerInput).retained,
          },
        ],
      });
    if (src === 'reloadMachine')
      return none({ ...world, reload: 'starting', drained: false, stopping: false });
    if (src === 'anchor') return none({ ...world, anchor: 'open' });
    if (src !== 'takeoverMachine') return none(world);
    return startsAfterGrant(settings)
      ? says({ ...world, takeover: 'asked' }, fact('takeover.asked'))
      : none({ ...world, takeover: 'warming' });
  };

const orderHappens = (settings: Settings, world: World, to: string, event: PlainEvent): Outcome => {
  if (to === 'lock' && settings.pidFile === null) return none({ ...world, lost: event.type });
  if (to === 'control' && settings.control === null) return none({ ...world, lost: event.type });
  if (isSlot(to)) return toSlot(world, to, event);
  if (to === 'reload') return toReload(world, event);
  if (to === 'takeover') return toTakeover(world, event);
  if (to === 'control') return toControl(world, event);
  if (to === 'starter')
    return none(world.starter === 'none' ? { ...world, lost: event.type } : { ...world, starter: 'told' });
  if (to === 'service' && event.type === 'service.watch') return none({ ...world, service: 'watched' });
  if (to === 'lock' && event.type === 'lock.release') return none(owing(world, 'release'));
  // With a lock nobody waits for it.
  if (to === 'listeners' && settings.pidFile === null) return none(owing(world, 'removal'));
  return none(world);
};

const reactTo =
  (settings: Settings, successor: boolean) =>
  (before: World, step: SupervisorStep): Outcome => {
    let world = before;
    const facts: PlainEvent[] = [];
    const take = (outcome: Outcome) => {
      world = outcome.world;
      facts.push(...outcome.facts);
    };
    if (step.stopped.includes('anchor') && world.anchor === 'open') world = { ...world, anchor: 'inherited' };
    // At the end all children go; until then only those whose slot does.
    const removed = isFinal(step.state) ? [] : step.stopped.filter(isSlot);
    world = { ...world, slots: world.slots.filter((stub) => !removed.includes(nameOf(stub))) };
    for (const spawn of step.spawned) take(spawns(settings)(world, spawn, successor));
    for (const { to, event } of step.orders) take(orderHappens(settings, world, to, event));
    return { world, facts };
  };

/** A slot that a serving supervisor may have: it is filled, or on its way there. */
const isWanted = (stub: SlotStub): boolean =>
  stub.state !== 'stopped' && stub.state !== 'held' && !stub.leaving;

const agrees = (record: SlotRecord, stub: SlotStub): boolean =>
  record.slot === stub.slot &&
  (record.state === 'stopped') === (stub.state === 'stopped') &&
  (record.state === 'ready') === (stub.state === 'ready') &&
  record.pid === (lives(stub) ? pidOf(stub) : null);

/** What an anchor may have: what it needs for its work, and the leftovers that it still has to see off. */
const ANCHORED = [
  'signals',
  'reaper',
  'service',
  'concludeAlarm',
  'killAlarm',
  'chargeKill',
  'leftoversAlarm',
  'leftovers',
];
const stubOf = (world: World, record: SlotRecord): SlotStub =>
  world.slots.find((stub) => isAbout(record, stub)) ?? newStub(record.slot, false, record.place);

/** Where a replacement may get ready. */
const RELIEVING = ['running', 'respawning'];

const SERVING = ['running', 'respawning', 'idle.starting'];

const problemsOf =
  (settings: Settings) =>
  ({ before, happening, after }: SupervisorEdge): readonly string[] => {
    const { step, world } = after;
    const { state, context } = step;
    const problems: string[] = [];
    const must = (truth: boolean, words: string) => {
      if (!truth) problems.push(words);
    };
    const stubs = world.slots;
    const final = isFinal(state);
    must(alarmsOf(step).length > 0 || state in UNALARMED, 'it waits without an alarm');
    // One that was under way when its machine ended, and its last report with it, harms nobody.
    must(world.lost === null || context.link === 'none', `an order to a child that has ended: ${world.lost}`);
    const had = before === null ? [] : childrenOf(before.step).map(({ id }) => id);
    for (const { id } of step.spawned)
      must(!had.includes(id) || step.stopped.includes(id), `a child that lives is started again: ${id}`);
    must(new Set(stubs.map(nameOf)).size === stubs.length, 'two machines of one name');
    const { reliefs, spares } = context;
    const records = [...context.slots, ...reliefs, ...spares];
    must(
      final ||
        stubs.length === 0 ||
        (records.length === stubs.length && records.every((record) => agrees(record, stubOf(world, record)))),
      'what is known of a slot is not so',
    );
    must(reliefs.length <= 1, 'more than one worker at a time is being replaced');
    must(
      reliefs.every(({ slot }) => context.slots.some((record) => record.slot === slot)),
      'a replacement without its slot',
    );
    for (const relief of reliefs.filter(({ stage }) => stage !== 'outgoing')) {
      const stub = stubOf(world, relief);
      must(
        !stub.admitted && !stub.retained,
        'a replacement serves, or is respawned, and the slot has another',
      );
      must(
        relief.stage === 'withdrawn' || RELIEVING.includes(state),
        'a replacement goes on where all leave',
      );
    }
    must(spares.length <= settings.standby, 'more standbys than wanted');
    for (const stub of spares.map((record) => stubOf(world, record))) {
      must(!stub.admitted && stub.retained, 'a standby may serve, or is not booted again');
      must(context.inCharge, 'a generation that is not in charge has standbys');
    }
    if (settings.handoff === 'exclusive')
      for (const { slot } of context.slots)
        must(
          stubs.filter((stub) => stub.slot === slot && isFilled(stub)).length <= 1,
          'exclusive: two workers of one slot may serve',
        );
    const begun = reliefs.length > (before?.step.context.reliefs.length ?? 0);
    must(
      !begun || (context.link === 'none' && context.stops === 0),
      'a replacement during a reload or a stop',
    );
    must(
      final || alarmsOf(step).some(({ alarm }) => alarm === 'relief') === context.reliefRests,
      'replacements rest without an end, or an end without a rest',
    );
    if (final)
      must(
        stubs.every((stub) => stub.state === 'stopped'),
        'it ends while a worker lives',
      );
    const sent = step.orders.map(({ to, event }) => `${to} ${event.type}`);
    const facts = [...typesOf(happening === null ? [] : [happening])];
    if (sent.includes('lock lock.release') || sent.includes('listeners listeners.remove'))
      must(
        context.link === 'none' && stubs.every((stub) => stub.state === 'stopped'),
        'the lock or the listeners go too early',
      );
    if (sent.includes('lock pid.write'))
      must(context.inCharge && !context.promoted, 'it writes its pid and is not in charge');
    if (sent.some((order) => order.endsWith('worker.retain')))
      must(context.inCharge, 'a generation that is not in charge respawns');
    if (step.orders.some(({ event }) => event.type === 'worker.admit' || event.admitted === true))
      must(
        context.handover === null ||
          ['activated', 'charged', 'alone', 'committed', 'ended'].includes(world.takeover),
        'its workers may serve before the takeover',
      );
    for (const { to, event } of step.orders) {
      if (event.type !== 'worker.kill' && event.type !== 'worker.drain') continue;
      const stub = before?.world.slots.find((one) => nameOf(one) === to);
      must(stub !== undefined && stub.state !== 'stopped', 'an order to leave, and nobody is there');
    }
    must(
      alarmsOf(step).some(({ alarm }) => alarm === 'scale') === (context.scaling !== null && !final),
      'a change of the number of workers without its limit, or a limit without one',
    );
    must(
      !world.scaling || context.scaling !== null || final,
      'a client waits for workers that nobody counts',
    );
    const gone = before?.world.slots.filter((stub) => step.stopped.includes(nameOf(stub))) ?? [];
    must(
      final || gone.every((stub) => !lives(stub) || happening?.what === 'exited'),
      'a slot goes, and its worker stays',
    );
    // Those that are to go need not be filled.
    const wanted = context.slots.filter(({ leaving }) => !leaving).map((record) => stubOf(world, record));
    const isReplaced = ({ slot }: SlotStub) =>
      settings.handoff === 'exclusive' &&
      reliefs.some((one) => one.slot === slot && one.stage === 'outgoing');
    must(wanted.length > 0 || final || stubs.length === 0, 'no slot is wanted any more');
    must(
      context.scaled === null || wanted.length === context.scaled || final,
      'the number of slots is not what was asked for',
    );
    const alone = context.link === 'none' || world.takeover === 'committed';
    if (SERVING.includes(state) || state === 'reloading') {
      must(!alone || wanted.every(isWanted), 'a slot is left empty');
      must(
        context.slots
          .map((record) => stubOf(world, record))
          .every((stub) => stub.retained && stub.admitted !== isReplaced(stub)),
        'a slot serves without leave',
      );
    }
    if (SERVING.includes(state)) must(context.stops === 0, 'a stop was forgotten');
    const fills =
      state === 'running' ||
      state === 'respawning' ||
      (context.stops === 0 && (state === 'reloading' || (state === 'handoff.granting' && !context.retiring)));
    must(
      !fills ||
        spares.every((record) => stubOf(world, record).state !== 'ready') ||
        wanted.every(({ state }) => state !== 'backoff'),
      'a slot is empty, and a standby waits',
    );
    must(
      state !== 'running' ||
        (spares.length === settings.standby && spares.every(({ state }) => state !== 'stopped')),
      'it runs, and has not all of its standbys',
    );
    if (state === 'handoff.granting' && settings.handoff === 'overlap')
      must(wanted.every(isWanted), 'a slot is left empty');
    if (state === 'handoff.granting' && settings.handoff === 'exclusive')
      must(
        stubs.every((stub) => stub.state === 'stopped'),
        'exclusive: both generations are active',
      );
    if (world.reload === 'promoted')
      must(
        context.promoted && (final || /^(handoff|anchored)/.test(state)),
        'it does not hear that it was relieved',
      );
    if (state === 'running')
      must(
        wanted.every((stub) => stub.state === 'ready'),
        'running, and a slot is not ready',
      );
    if (SERVING.includes(state) && context.link === 'none')
      must(!world.waiting || context.reload !== null, 'a client waits for a verdict that was given');
    const first = context.handover === null;
    if (state.startsWith('anchored')) {
      const others = childrenOf(step).filter(({ id }) => !ANCHORED.includes(id));
      must(others.length === 0, `an anchor holds ${others.map(({ id }) => id).join(', ')}`);
      must(context.lock === null && context.lifeRead === null, 'an anchor has a lock or a life pipe');
      must(context.slots.length === 0, 'an anchor has workers');
      must(first && context.promoted, 'somebody else than a relieved first process is an anchor');
      must(world.service === 'watched', 'an anchor does not watch its service');
    }
    const wasAnchored = before?.step.state.startsWith('anchored') === true;
    if (final && context.promoted && first && settings.anchor) {
      must(wasAnchored, 'the first process ends instead of staying');
      const overdue = context.failure?.code === 'TANIST_STOP_OVERDUE';
      must(world.service === 'ended' || overdue, 'the anchor ends while the service goes on');
      must(
        (state === 'stopped') === (world.concluded === 'well' && !overdue),
        'the anchor does not end as the service did',
      );
    }
    const reads = !first && context.inCharge && !context.promoted && context.anchorDescriptor !== null;
    must(final || reads === (world.anchor === 'open'), 'who is in charge reads the anchor, and nobody else');
    const toAnchor = step.orders.filter(({ to }) => to === 'anchor').map(({ event }) => event);
    if (sent.includes('lock lock.release') && reads)
      must(
        toAnchor.some(({ type, failure: why }) => type === 'anchor.conclude' && why === context.failure),
        'the anchor is not told how it ended',
      );
    must(
      // Without a control socket to be claimed it is opened and concluded in one go.
      toAnchor.length === 0 || before?.world.anchor === 'open' || world.anchor === 'open',
      'a word to the anchor, and nobody says it',
    );
    if (world.anchor === 'inert' && world.introduced)
      must(context.stops > 0, 'the anchor is gone, and the service goes on');
    if (state === 'stopped' && context.promoted) must(!world.waiting, 'a client is left without its verdict');
    if (sent.includes('starter starter.tell'))
      must(
        before?.world.starter === 'waits' && stubs.every((stub) => stub.state === 'ready'),
        'a start is told to be good, and it is not, or nobody waits',
      );
    if (SERVING.includes(state)) must(world.starter !== 'waits', 'it serves, and the command still waits');
    if (happening?.type === 'starter.gone' && before?.step.state.startsWith('idle'))
      must(context.failure !== null, 'nobody waits for the start any more, and it goes on');
    must(facts.length <= 1, 'one thing happens at a time');
    return problems;
  };

export interface SupervisorWalk {
  readonly settings: Partial<Settings>;
  readonly successor: boolean;
  readonly hangupStops: boolean;
  /** A command waits for the start. */
  readonly daemonized?: boolean;
  /** Failures of facilities and of spawns are part of it. */
  readonly failures: boolean;
  /** A successor's first process: it becomes an anchor sooner or later, or is one already. */
  readonly anchor?: 'later' | 'already';
  /** Numbers of workers that are asked for meanwhile. Default none. */
  readonly scales?: readonly number[];
  /** Nobody asks for a reload. Default false. */
  readonly calm?: boolean;
  /** Whoever asks does it by the plainest signal, and waits for nothing. Default false. */
  readonly plain?: boolean;
  /** The system does not tell the memory of workers. Default false. */
  readonly hidden?: boolean;
}

/** A copy of the machine whose children are empty: the model plays them. */
export const childless = (): typeof supervisorMachine => {
  const nothing = fromCallback(() => undefined) as never;
  return supervisorMachine.provide({
    actors: { worker: nothing, reloadMachine: nothing, takeoverMachine: nothing },
  });
};

const inputOf = (
  settings: Settings,
  { successor, hangupStops, daemonized = false, anchor }: SupervisorWalk,
): SupervisorInput => ({
  settings,
  version: '0.0.0',
  self: { pid: 100, startTime: '1' },
  startedAtMs: 1_000,
  hangupStops,
  starter: daemonized ? 4 : null,
  handover: successor
    ? {
        messages: 3,
        record: {
          version: 1,
          tanist: '0.0.0',
          name: 'daemon',
          pidFile: settings.pidFile,
          control: settings.control,
          handoff: settings.handoff,
          generation: 1,
          predecessor: { pid: 100, startTime: '1' },
          workers: [],
          requestedAtMs: 1_000,
          ids: ['a'],
          hangupStops,
          ...(anchor === 'already' ? { anchor: ANCHOR } : {}),
          descriptors: {
            lock: settings.pidFile === null ? null : 4,
            token: 5,
            lifeWrite: 6,
            lifeRead: 7,
            peerRead: 8,
            fence: settings.handoff === 'exclusive' && settings.pidFile !== null ? 9 : null,
            ...(anchor === undefined ? {} : { anchor: 12 }),
          },
          listeners: [],
        },
      }
    : null,
});

const keyOf: SupervisorModel['key'] = (step, world) => {
  const { state, context } = step;
  return JSON.stringify([
    state,
    // Slots are alike: which of them is which makes no difference.
    world.slots
      .map(({ slot, place, ...stub }) => {
        const self = { place };
        const record = context.slots.find((one) => isAbout(one, self));
        const relief = context.reliefs.find((one) => isAbout(one, self));
        // Nor which machine has it now.
        const role =
          relief?.stage ?? (context.reliefs.some((one) => one.slot === slot) ? 'has a relief' : '');
        const isLarge = isTooMuch(context.settings, record?.memoryBytes ?? null);
        return `${Object.values(stub).join()} ${record?.leaving ?? false} ${slot === 0} ${role} ${isLarge}`;
      })
      .sort(),
    [context.reliefRests, context.memoryObstacle === null],
    // A link that is over is as one that never was.
    { ...world, slots: null, reload: world.reload === 'ended' ? 'none' : world.reload },
    [
      context.link,
      context.promoted,
      context.inCharge,
      context.everReady,
      context.retiring,
      context.deferredReload !== null,
      context.anchor === null,
      context.anchorDescriptor === null,
      context.charge === null,
    ],
    [Math.min(context.stops, 3), context.failure !== null, context.leftovers.length > 0],
    [context.reload === null, context.lastReload === null, context.respawnsAtMs.length],
    alarmsOf(step).some(({ alarm }) => alarm === 'publish'),
    [context.scaled, context.scaling?.workers ?? null],
  ]);
};

/** Nobody can connect to a control socket that was never claimed. */
const UNPUBLISHED = [
  'idle.locking',
  'idle.fencing',
  'idle.binding',
  'idle.assuming',
  'idle.opening',
  'idle.mooring',
  'idle.publishing',
];

const scaleTo = (asked: { workers: number | null; change: number }, via: string): Happening =>
  fact('scale.requested', { ...asked, via, id: via === 'control' ? 's' : null });

const scaleRequests = (
  world: World,
  { state, context }: SupervisorStep,
  { scales = [], calm }: SupervisorWalk,
): readonly Happening[] => [
  ...(state.startsWith('anchored') ? [scaleTo({ workers: null, change: 1 }, 'SIGTTIN')] : []),
  ...(world.scaling || !context.opened.includes('control')
    ? []
    : scales.map((workers) => scaleTo({ workers, change: 0 }, 'control'))),
  ...(scales.length > 0 && calm ? [scaleTo({ workers: null, change: -1 }, 'SIGTTOU')] : []),
];

const requests = (
  world: World,
  step: SupervisorStep,
  { hangupStops, calm = false, plain = false }: SupervisorWalk,
): readonly Happening[] => [
  ...(calm ? [] : [fact('reload.requested', { via: 'SIGUSR2', id: null })]),
  ...(calm ||
  plain ||
  world.waiting ||
  step.context.settings.control === null ||
  UNPUBLISHED.includes(step.state) ||
  step.state.startsWith('anchored')
    ? []
    : [fact('reload.requested', { via: 'control', id: 'a' })]),
  ...(step.context.stops > 2 ? [] : [fact('stop.requested', { via: 'SIGTERM' })]),
  ...(calm || plain || (hangupStops && step.context.stops > 2) ? [] : [fact('hangup.received')]),
  ...(world.anchor === 'open' && world.introduced && step.context.stops <= 2
    ? [passedOn('stop.requested', step, { via: 'SIGTERM' }), passedOn('hangup.received', step)]
    : []),
];

const passedOn = (type: string, { context }: SupervisorStep, more: object = {}): Happening =>
  fact(type, { ...more, anchorStops: context.stopsAtAnchor + 1 });

/** What the first process learns of the generations after it, once it is an anchor. */
const serviceChances = (world: World, { context }: SupervisorStep): readonly Happening[] => {
  if (world.service !== 'watched') return [];
  return [
    ...(context.charge === null ? [fact('service.charged', { ...ANCHOR, generation: 2 })] : []),
    ...(world.concluded === 'no'
      ? [
          fact('service.concluded', { failure: null }),
          fact('service.concluded', { failure: { code: 'TANIST_RESPAWN_LIMIT', message: 'too many' } }),
        ]
      : [fact('service.charged', { ...ANCHOR, generation: 3 })]),
    fact('service.ended'),
  ];
};

/** What a later generation learns of the first process: its word comes from the predecessor, its end from itself. */
const anchorChances = (world: World, { context }: SupervisorStep): readonly Happening[] => [
  ...(world.anchor === 'open' ? [fact('anchor.ended')] : []),
  ...(world.anchor !== 'none' && !world.introduced && context.link === 'takeover' && context.inCharge
    ? [fact('anchor.introduced', ANCHOR)]
    : []),
];

export const supervisorModel = (covered: SupervisorCovered, options: SupervisorWalk): SupervisorModel => {
  const settings = settingsWith(options.settings);
  const start = begin(covered.machine, inputOf(settings, options));
  return {
    covered,
    start,
    world: {
      owed: [],
      slots: [],
      reload: 'none',
      drained: false,
      telling: false,
      takeover: 'none',
      doomed: false,
      ready: false,
      predecessor: options.successor ? 'alive' : 'none',
      stopping: false,
      starter: options.daemonized ? 'waits' : 'none',
      waiting: false,
      service: 'none',
      concluded: 'no',
      anchor: options.anchor === undefined ? 'none' : 'inherited',
      introduced: options.anchor === 'already',
      scaling: false,
      lost: null,
    },
    key: keyOf,
    happenings: (step, world) => [
      ...world.owed.slice(0, 1).flatMap((facility) => ANSWERS[facility].slice(0, options.failures ? 3 : 1)),
      ...(options.failures && world.owed[0] === 'control' ? [failure('pid.failed')] : []),
      ...world.slots.flatMap((stub) =>
        chances(stub, isChecked(settings))
          .filter((what) => options.failures || what !== 'unspawned')
          .filter(
            (what) => !options.plain || (what !== 'describes' && (what !== 'late' || settings.standby === 0)),
          )
          .concat(settings.maxMemoryBytes === null ? [] : measures(stub, options.hidden))
          .map((what) => ({ type: 'slot', name: nameOf(stub), what })),
      ),
      ...reloadChances(world, settings).map((what) => ({ type: 'reload', what })),
      ...takeoverChances(world).map((what) => ({ type: 'takeover', what })),
      ...(world.starter === 'waits' ? [fact('starter.gone')] : []),
      ...serviceChances(world, step),
      ...anchorChances(world, step),
      ...requests(world, step, options),
      ...scaleRequests(world, step, options),
      ...alarmsOf(step).map(({ alarm }) => fact('alarm.fired', { alarm })),
    ],
    happen: (before, happening) => {
      const world = { ...before, lost: null };
      const what = String(happening.what);
      switch (happening.type) {
        case 'slot': {
          const stub = world.slots.find((one) => nameOf(one) === happening.name) as SlotStub;
          const outcome = chance(stub, what);
          return {
            world: { ...world, slots: world.slots.map((other) => (other === stub ? outcome.stub : other)) },
            facts: outcome.reports,
          };
        }
        case 'reload':
          return reloadHappens(world, what);
        case 'takeover':
          return takeoverHappens(world, what);
        case 'starter.gone':
          return says({ ...world, starter: 'gone' }, happening);
        case 'service.charged':
          return says({ ...world, concluded: 'no' }, happening);
        case 'service.concluded':
          return says({ ...world, concluded: happening.failure === null ? 'well' : 'badly' }, happening);
        case 'service.ended':
          return says({ ...world, service: 'ended' }, happening);
        case 'anchor.ended':
          return says({ ...world, anchor: 'inert' }, happening);
        case 'anchor.introduced':
          return says({ ...world, introduced: true }, happening);
        case 'scale.requested':
          return says({ ...world, scaling: world.scaling || happening.via === 'control' }, happening);
        case 'reload.requested':
          return says({ ...world, waiting: world.waiting || happening.via === 'control' }, happening);
        default: {
          const isAnswer = Object.values(ANSWERS).some((answers) => answers.includes(happening));
          return says(isAnswer ? { ...world, owed: world.owed.slice(1) } : world, happening);
        }
      }
    },
    react: reactTo(settings, options.successor),
    isEnd: isFinal,
    problems: problemsOf(settings),
  };
};
