import { describe, expect, it } from 'vitest';
import type { AlarmName, ReloadEvent } from '../../machines/events.js';
import type { Settings } from '../../machines/policy.js';
import { reloadMachine } from '../../machines/reload.js';
import { alarmsOf, drive, saidTo, sentTo, typesOf } from '../../src/testing/drive.js';
import { settingsWith } from '../model/settings.js';

const PID = 201;
const AT = { atMs: 9_000 };
const WORKER = { pid: 301, startTime: '1' };

const spawned: ReloadEvent = { type: 'successor.spawned', generation: 2, pid: PID, startTime: '5', ...AT };
const asks: ReloadEvent = { type: 'takeover.requested', ...AT };
const empty: ReloadEvent = { type: 'inbox.empty', ...AT };
const committed: ReloadEvent = { type: 'successor.committed', ...AT };
const taken: ReloadEvent = { type: 'token.taken', ...AT };
const tokenGone: ReloadEvent = { type: 'token.gone', ...AT };
const departed: ReloadEvent = { type: 'successor.departed', ...AT };
const drained: ReloadEvent = { type: 'workers.drained' };
const abort: ReloadEvent = { type: 'reload.abort', ...AT };
const relayed: ReloadEvent = { type: 'stop.relayed', ...AT };
const workers: ReloadEvent = { type: 'successor.workers', workers: [WORKER], ...AT };
const failed: ReloadEvent = {
  type: 'successor.failed',
  reason: 'worker-exited',
  detail: 'worker 1 exited',
  ...AT,
};
const exits = (pid = PID): ReloadEvent => ({
  type: 'successor.exited',
  pid,
  code: null,
  signal: 'SIGKILL',
  ...AT,
});
const fires = (alarm: AlarmName): ReloadEvent => ({ type: 'alarm.fired', alarm, ...AT });
const counted = (remaining: number): ReloadEvent => ({ type: 'leftovers.counted', remaining, ...AT });

const reload = (changes: Partial<Settings> = {}) => {
  const settings = settingsWith(changes);
  return drive(reloadMachine, {
    settings,
    record: {
      version: 1,
      tanist: '0.0.0',
      name: 'daemon',
      pidFile: settings.pidFile,
      handoff: settings.handoff,
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
};

const EXCLUSIVE: Partial<Settings> = { handoff: 'exclusive' };

/** The way to each step of the contract, in either mode. */
const toStep = (step: 1 | 3 | 4 | 5 | 7, changes: Partial<Settings>) => {
  const machine = reload(changes);
  const exclusive = changes.handoff === 'exclusive';
  machine.send(spawned, workers);
  if (step >= 3) machine.send(asks);
  if (step >= 4) machine.send(empty);
  if (step >= 5 && exclusive) machine.send(drained);
  if (step >= 7) machine.send(committed);
  return machine;
};

describe('a reload that goes well', () => {
  it('looks for later words before it grants, and leaves when the successor has committed', () => {
    const machine = reload();
    expect(machine.send(spawned).reports).toEqual([
      { type: 'reload.started', pid: PID, generation: 2, ...AT },
    ]);
    expect(sentTo(machine.send(asks), 'successor')).toEqual([{ type: 'inbox.read' }]);
    const granted = machine.send(empty);
    expect(typesOf(granted.reports)).toEqual(['handoff.begun']);
    expect(saidTo(granted, 'successor')).toEqual(['granted']);
    expect(alarmsOf(granted)).toEqual([{ alarm: 'commit', delayMs: 5_000 }]);
    const leaving = machine.send(committed);
    expect(leaving.reports).toEqual([{ type: 'reload.promoted', generation: 2, pid: PID, ...AT }]);
    expect(leaving.state).toBe('leaving.finishing');
  });

  it('drains before it grants in exclusive mode', () => {
    const machine = reload(EXCLUSIVE);
    const draining = machine.send(spawned, asks, empty);
    expect(saidTo(draining, 'successor')).toEqual(['draining']);
    expect(alarmsOf(draining)).toEqual([{ alarm: 'predecessorDrain', delayMs: 35_000 }]);
    expect(saidTo(machine.send(drained), 'successor')).toEqual(['granted']);
  });

  it('gives probation and a late start their time', () => {
    const machine = reload({ ...EXCLUSIVE, probationMs: 10_000, ready: { mode: 'alive', forMs: 1 } });
    expect(alarmsOf(machine.send(spawned, asks, empty, drained))).toEqual([
      { alarm: 'commit', delayMs: 75_000 },
    ]);
  });

  it('tells the successor who joined and which workers live', () => {
    const step = toStep(1, {}).send(
      { type: 'reload.join', id: 'b' },
      { type: 'workers.changed', workers: [WORKER] },
    );
    expect(saidTo(step, 'successor')).toEqual(['joined', 'workers']);
  });
});

describe.each([['overlap', {}] as const, ['exclusive', EXCLUSIVE] as const])(
  'the predecessor’s answer to a fault of the successor (%s)',
  (mode, changes) => {
    const exclusive = mode === 'exclusive';

    it('step 1: S killed → P goes on', () => {
      const machine = toStep(1, changes);
      const step = machine.send(exits(), empty);
      if (!exclusive) expect(machine.send(counted(1)).state).toBe('ended');
      else expect(machine.send(departed).state).toBe('ended');
      expect(sentTo(step, 'successor').map(({ type }) => type)).toEqual(['inbox.read', 'leftovers.kill']);
    });

    it('step 1: S hung → the reload alarm aborts, once nothing waits', () => {
      const machine = toStep(1, changes);
      expect(machine.send(fires('reload')).state).toBe('undecided.lastLook');
      expect(sentTo(machine.send(empty), 'successor')).toEqual([{ type: 'token.take' }]);
      expect(sentTo(machine.send(taken), 'successor')).toEqual([{ type: 'successor.kill' }]);
      machine.send(exits(), departed);
      expect(machine.send(empty).reports).toMatchObject([
        { type: 'reload.refused', reason: 'reload-timeout', pid: PID, leftovers: [] },
      ]);
    });

    it('step 1: a word that waits when the reload alarm fires counts', () => {
      const machine = toStep(1, changes);
      expect(machine.send(fires('reload'), asks).state).toBe('undecided.looking');
    });

    it('step 3: S killed while P looks → P goes on', () => {
      const machine = toStep(3, changes);
      expect(machine.send(exits()).state).toBe('burying.reading');
      expect(machine.send(departed, empty).reports).toMatchObject([
        { type: 'reload.refused', reason: 'exited' },
      ]);
    });

    it('step 3: S that fails after it has asked is not granted anything', () => {
      const step = toStep(3, changes).send(failed);
      expect(step.state).toBe('claiming');
      expect(saidTo(step, 'successor')).toEqual([]);
    });

    it(`steps 4 and 5: S killed → abort${exclusive ? ', and its workers may drain' : ''}`, () => {
      const machine = toStep(5, changes);
      machine.send(exits());
      const step = machine.send(empty);
      if (exclusive) expect(alarmsOf(step)).toEqual([{ alarm: 'bury', delayMs: 30_000 }]);
      else expect(step.reports).toMatchObject([{ type: 'reload.refused', leftovers: [WORKER] }]);
    });

    it('step 5: S hung → the commit alarm aborts, once nothing waits', () => {
      const machine = toStep(5, changes);
      expect(machine.send(fires('commit')).state).toBe('undecided.finalLook');
      machine.send(empty, taken, exits(), departed);
      expect(machine.send(empty).reports).toMatchObject([
        { type: 'reload.refused', reason: 'takeover-timeout' },
      ]);
    });

    it('step 5: committed that waits when the commit alarm fires counts', () => {
      const machine = toStep(5, changes);
      expect(typesOf(machine.send(fires('commit'), committed).reports)).toEqual(['reload.promoted']);
    });

    it('step 6, before committed: S killed → P comes back', () => {
      const machine = toStep(5, changes);
      machine.send(fires('commit'), empty, tokenGone);
      expect(machine.now.state).toBe('yielding.waiting');
      machine.send(exits(), departed);
      expect(typesOf(machine.send(empty).reports)).toEqual(['reload.refused']);
    });

    it('step 6, before committed: S hung → the yield alarm kills S and P comes back', () => {
      const machine = toStep(5, changes);
      machine.send(fires('commit'), empty, tokenGone);
      expect(alarmsOf(machine.now)).toEqual([{ alarm: 'yield', delayMs: 5_000 }]);
      expect(sentTo(machine.send(fires('yield'), empty), 'successor')).toContainEqual({
        type: 'successor.kill',
      });
      machine.send(exits(), departed);
      expect(typesOf(machine.send(empty).reports)).toEqual(['reload.refused']);
    });

    it('step 7: S killed → P comes back', () => {
      const machine = toStep(7, changes);
      machine.send(exits(), departed);
      expect(machine.send(empty).reports).toMatchObject([
        { type: 'reload.refused', reason: 'exited', detail: expect.stringContaining('after it had taken') },
      ]);
    });

    it.each([1, 3, 4, 5] as const)('step %i: P that hung hears that S has decided without it', (at) => {
      const step = toStep(at, changes).send(committed);
      expect([step.state, typesOf(step.reports)]).toEqual(['leaving.finishing', ['reload.promoted']]);
    });

    it.each([1, 3, 4, 5] as const)('step %i: a stop aborts the reload first', (at) => {
      const machine = toStep(at, changes);
      expect(sentTo(machine.send(abort), 'successor')).toContainEqual({ type: 'token.take' });
      machine.send(taken, exits(), departed);
      expect(machine.send(empty).reports).toMatchObject([{ type: 'reload.refused', reason: 'stopped' }]);
    });

    it.each([1, 3, 4, 5] as const)('step %i: a stop asked of S aborts, and is passed on', (at) => {
      const step = toStep(at, changes).send(relayed);
      expect(step.state).toBe('claiming');
      expect(step.reports).toMatchObject([{ type: 'stop.requested', via: 'peer' }]);
    });

    it('step 7: both stop, and P ends after S', () => {
      const machine = toStep(7, changes);
      expect(saidTo(machine.send(abort, drained), 'successor')).toEqual(['stop', 'drained']);
      machine.send(exits(), departed);
      expect(typesOf(machine.send(empty).reports)).toEqual(['successor.gone']);
    });

    it('step 7: S that was killed when both stop has given nothing back, and P is told so', () => {
      const machine = toStep(7, changes);
      machine.send(abort, exits(), departed);
      expect(machine.send(empty).reports).toMatchObject([{ type: 'successor.gone', killed: true }]);
    });

    it('step 7: P does not come back when S was told to stop, though nobody told P', () => {
      const machine = toStep(7, changes);
      machine.send({ type: 'successor.exited', pid: PID, code: 0, signal: null, ...AT }, departed);
      expect(machine.send(empty).reports).toMatchObject([{ type: 'successor.gone', killed: false }]);
    });

    it.each([1, 3, 4, 5, 7] as const)('step %i: the exit of an earlier successor changes nothing', (at) => {
      const machine = toStep(at, changes);
      const { state } = machine.now;
      expect(machine.send(exits(PID - 1)).state).toBe(state);
    });
  },
);

describe('an abort', () => {
  it('that was asked for before S existed is not forgotten when S comes later than the reload alarm', () => {
    const machine = reload();
    machine.send(abort, fires('reload'));
    expect(machine.send(spawned).state).toBe('claiming');
    expect(machine.now.context.successor).toEqual({ pid: PID, startTime: '5' });
  });

  it('never kills before the token is taken', () => {
    const machine = toStep(5, {});
    expect(typesOf(sentTo(machine.send(failed), 'successor'))).toEqual(['token.take']);
    expect(typesOf(sentTo(machine.send(taken), 'successor'))).toEqual(['successor.kill']);
  });

  it('kills again as long as the kernel does not say that it is gone', () => {
    const machine = toStep(1, {});
    machine.send(failed, taken);
    expect(typesOf(sentTo(machine.send(fires('kill')), 'successor'))).toEqual(['successor.kill']);
  });

  it('says the successor’s own reason, said before or left behind', () => {
    const said = toStep(1, {});
    said.send(failed, taken, exits(), empty);
    expect(said.send(counted(0)).reports).toMatchObject([{ reason: 'worker-exited' }]);
    const left = toStep(1, {});
    left.send(exits(), failed, empty);
    expect(left.send(counted(0)).reports).toMatchObject([{ reason: 'worker-exited' }]);
  });

  it('waits for a successor that is just being spawned', () => {
    const machine = reload();
    expect(machine.send(abort).state).toBe('undecided.starting');
    expect(machine.send(spawned).state).toBe('claiming');
  });

  it('knows a successor that is spawned after the reload alarm', () => {
    const machine = reload();
    machine.send(fires('reload'), spawned, empty, taken, exits(), empty);
    expect(typesOf(machine.send(counted(0)).reports)).toEqual(['reload.refused']);
  });

  it('ends at once when nothing could be spawned', () => {
    const step = reload().send({
      type: 'successor.unspawned',
      generation: 2,
      code: 'ENOENT',
      message: 'node is gone',
      ...AT,
    });
    expect(step.reports).toMatchObject([
      { type: 'reload.refused', reason: 'spawn-failed', pid: null, detail: 'node is gone' },
    ]);
  });
});

describe('the outcome of a reload that failed', () => {
  const activated: ReloadEvent = {
    type: 'successor.activated',
    probationMs: 20_000,
    limitMs: 25_000,
    ...AT,
  };
  const ends = (...events: readonly [ReloadEvent, ...ReloadEvent[]]) => {
    const machine = toStep(5, {});
    machine.send(...events);
    return machine.send(taken, exits(), empty).reports.filter(({ type }) => type === 'reload.refused');
  };

  it('is refused as long as the successor has not said that its workers serve', () => {
    expect(ends(failed)).toMatchObject([{ outcome: 'refused', reason: 'worker-exited' }]);
  });

  it('is rolled-back from then on', () => {
    expect(ends(activated, failed)).toMatchObject([{ outcome: 'rolled-back', reason: 'worker-exited' }]);
  });

  it('is rolled-back when the successor says so only in its last words', () => {
    const machine = toStep(5, {});
    const step = machine.send(exits(), activated, empty);
    expect(step.reports.filter(({ type }) => type === 'reload.refused')).toMatchObject([
      { outcome: 'rolled-back', reason: 'exited' },
    ]);
  });

  it('is late by the limit that the successor has named, and not by its own', () => {
    const machine = toStep(5, {});
    const step = machine.send(activated);
    expect(step.reports).toMatchObject([{ type: 'reload.activated', probationMs: 20_000 }]);
    expect(alarmsOf(step)).toEqual([{ alarm: 'commit', delayMs: 25_000 }]);
    machine.send(fires('commit'), empty);
    expect(machine.send(taken, exits(), empty).reports).toMatchObject([
      {
        outcome: 'rolled-back',
        reason: 'takeover-timeout',
        detail: 'generation 2 did not take charge within 25 s from the moment its workers served',
      },
    ]);
  });
});

describe('mourning in exclusive mode', () => {
  const mourning = () => {
    const machine = toStep(5, EXCLUSIVE);
    machine.send(exits(), empty);
    return machine;
  };

  it('ends when the last worker of the successor is gone', () => {
    expect(typesOf(mourning().send(departed).reports)).toEqual(['reload.refused']);
  });

  it('kills what is left after the drain timeout, and looks again', () => {
    const machine = mourning();
    expect(sentTo(machine.send(fires('bury')), 'successor')).toEqual([
      { type: 'leftovers.kill', leftovers: [WORKER] },
    ]);
    expect(machine.send(counted(1)).state).toBe('burying.sweeping');
    machine.send(fires('bury'));
    expect(machine.send(counted(1)).state).toBe('burying.sweeping');
    machine.send(fires('bury'));
    expect(machine.send(counted(0)).state).toBe('ended');
  });

  it('is cut short when a stop is asked for twice', () => {
    const machine = mourning();
    expect(machine.send(abort).state).toBe('burying.mourning');
    expect(machine.send(abort).state).toBe('burying.sweeping');
  });
});
