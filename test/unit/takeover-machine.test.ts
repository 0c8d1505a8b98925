import { describe, expect, it } from 'vitest';
import type { AlarmName, TakeoverEvent } from '../../machines/events.js';
import type { Settings } from '../../machines/policy.js';
import { takeoverMachine } from '../../machines/takeover.js';
import { alarmsOf, drive, saidTo, sentTo, typesOf } from '../../src/testing/drive.js';
import { settingsWith } from '../model/settings.js';

const AT = { atMs: 9_000 };
const WORKER = { pid: 302, startTime: '1' };

const ready: TakeoverEvent = { type: 'slots.ready' };
const granted: TakeoverEvent = { type: 'predecessor.granted', ...AT };
const draining: TakeoverEvent = { type: 'predecessor.draining', ...AT };
const taken: TakeoverEvent = { type: 'token.taken', ...AT };
const tokenGone: TakeoverEvent = { type: 'token.gone', ...AT };
const empty: TakeoverEvent = { type: 'inbox.empty', ...AT };
const ended: TakeoverEvent = { type: 'predecessor.ended', ...AT };
const departed: TakeoverEvent = { type: 'predecessor.departed', ...AT };
const charged: TakeoverEvent = { type: 'charge.taken', ...AT };
const stop: TakeoverEvent = { type: 'takeover.stop' };
const relayed: TakeoverEvent = { type: 'stop.relayed', ...AT };
const slotFailed: TakeoverEvent = {
  type: 'slot.failed',
  reason: 'start-timeout',
  detail: 'worker 1 was silent',
  ...AT,
};
const fires = (alarm: AlarmName): TakeoverEvent => ({ type: 'alarm.fired', alarm, ...AT });
const counted = (remaining: number): TakeoverEvent => ({ type: 'leftovers.counted', remaining, ...AT });

const says = (say: string, probationMs: number) => ({
  type: 'link.say',
  message: { say, probationMs, limitMs: probationMs + 5_000 },
});

const takeover = (changes: Partial<Settings> = {}) =>
  drive(takeoverMachine, {
    settings: settingsWith(changes),
    predecessor: { pid: 100, startTime: '1' },
    workers: [WORKER],
    messages: 3,
    token: 4,
    lifeRead: 7,
  });

const EXCLUSIVE: Partial<Settings> = { handoff: 'exclusive' };
const LATE: Partial<Settings> = { handoff: 'exclusive', ready: { mode: 'alive', forMs: 1_000 } };
const PROBATION = 10_000;

/** The way to each step of the contract; probation keeps step 5 open. */
const toStep = (step: 1 | 3 | 4 | 5 | 6 | 7, changes: Partial<Settings>) => {
  const machine = takeover({ ...changes, probationMs: PROBATION });
  const exclusive = changes.handoff === 'exclusive';
  if (step >= 3) machine.send(ready);
  if (step >= 4 && exclusive) machine.send(draining);
  if (step >= 5) machine.send(granted, empty);
  if (step >= 6) machine.send(fires('probation'), taken);
  if (step >= 7) machine.send(charged);
  return machine;
};

describe('a takeover that goes well', () => {
  it('asks when every slot is ready, serves when granted, and takes the token before anything is written', () => {
    const machine = takeover();
    const asked = machine.send(ready);
    expect(saidTo(asked, 'predecessor')).toEqual(['takeover']);
    expect(alarmsOf(asked)).toEqual([{ alarm: 'takeover', delayMs: 5_000 }]);
    const announced = machine.send(granted);
    expect(sentTo(announced, 'predecessor')).toEqual([says('activated', 0), { type: 'inbox.read' }]);
    const serves = machine.send(empty);
    expect(typesOf(serves.reports)).toEqual(['takeover.activated']);
    expect(sentTo(serves, 'predecessor')).toEqual([{ type: 'token.take' }]);
    expect(typesOf(machine.send(taken).reports)).toEqual(['takeover.charged']);
    const done = machine.send(charged);
    expect(saidTo(done, 'predecessor')).toEqual(['committed']);
    expect(alarmsOf(done)).toEqual([{ alarm: 'leave', delayMs: 35_000 }]);
    expect(machine.send(ended).reports).toMatchObject([{ type: 'predecessor.gone', leftovers: [WORKER] }]);
  });

  it('waits for probation to end before it takes the token', () => {
    const machine = toStep(5, {});
    expect(alarmsOf(machine.now)).toEqual([{ alarm: 'probation', delayMs: PROBATION }]);
    expect(sentTo(machine.send(fires('probation')), 'predecessor')).toEqual([{ type: 'token.take' }]);
  });

  it('tells the predecessor how long its own probation is, before its workers serve', () => {
    const machine = takeover({ probationMs: PROBATION });
    machine.send(ready);
    const told = machine.send(granted);
    expect(sentTo(told, 'predecessor')[0]).toEqual(says('activated', PROBATION));
    expect(told.reports).toEqual([]);
    expect(typesOf(machine.send(empty).reports)).toEqual(['takeover.activated']);
  });

  it('has nothing left to end when the life pipe of the predecessor ended', () => {
    const machine = toStep(7, {});
    expect(sentTo(machine.send(departed), 'predecessor')).toEqual([{ type: 'inbox.read' }]);
    expect(machine.send({ type: 'inbox.empty', ...AT }).reports).toMatchObject([{ leftovers: [] }]);
  });

  it('asks at once, and starts after the grant, when workers do not know the protocol', () => {
    const machine = takeover(LATE);
    expect(machine.now.state).toBe('undecided.asking');
    expect(machine.send(draining, granted, empty).state).toBe('activated.starting');
    expect(machine.send(ready).state).toBe('committing.taking');
  });

  it('reports who joined the reload, and tells which workers live', () => {
    const step = toStep(3, {}).send(
      { type: 'reload.joined', id: 'b', ...AT },
      { type: 'workers.changed', workers: [] },
    );
    expect(step.reports).toMatchObject([{ type: 'reload.joined', id: 'b' }]);
    expect(saidTo(step, 'predecessor')).toEqual(['workers']);
  });
});

describe('a probation with health checks', () => {
  const checked = (healthy: boolean): TakeoverEvent => ({ type: 'slots.checked', healthy });
  const onProbation = () => {
    const machine = takeover({ probationMs: PROBATION, health: { mode: 'http', path: '/' } });
    machine.send(ready, granted, empty);
    return machine;
  };

  it('takes the token at its end when the last check of every worker has passed', () => {
    const machine = onProbation();
    machine.send(checked(false), checked(true));
    expect(sentTo(machine.send(fires('probation')), 'predecessor')).toEqual([{ type: 'token.take' }]);
  });

  it('goes on beyond its end while one has not, under an alarm', () => {
    const machine = onProbation();
    const late = machine.send(fires('probation'));
    expect([late.state, alarmsOf(late)]).toEqual([
      'activated.doubting',
      [{ alarm: 'proof', delayMs: 3_000 }],
    ]);
    expect(machine.send(checked(false)).state).toBe('activated.doubting');
    expect(machine.send(checked(true)).state).toBe('committing.taking');
  });

  it('fails when that alarm fires', () => {
    const machine = onProbation();
    machine.send(fires('probation'));
    expect(machine.send(fires('proof')).reports).toMatchObject([
      { type: 'takeover.failed', outcome: 'rolled-back', reason: 'health-failed' },
    ]);
  });
});

describe('a failure of this generation', () => {
  it.each([
    ['before its workers may serve is told as one that is refused', 3, 'refused'],
    ['while they serve is told as one that is rolled back', 5, 'rolled-back'],
  ] as const)('%s', (_, step, outcome) => {
    const machine = toStep(step, {});
    expect(machine.send(slotFailed).reports).toMatchObject([{ type: 'takeover.failed', outcome }]);
  });
});

describe('the successor’s answer to a fault of the predecessor (overlap)', () => {
  it.each([1, 3, 4, 5] as const)('step %i: P killed → S takes charge', (at) => {
    const machine = toStep(at, {});
    expect(sentTo(machine.send(ended), 'predecessor')).toEqual([{ type: 'token.take' }]);
    expect(typesOf(machine.send(taken).reports)).toEqual(['takeover.activated', 'takeover.charged']);
    const step = machine.send(charged);
    expect(typesOf(step.reports)).toEqual(['takeover.committed', 'predecessor.gone']);
  });

  it('steps 3 and 4: P hung → S takes the token, serves, and commits', () => {
    const machine = takeover();
    machine.send(ready);
    expect(sentTo(machine.send(fires('takeover')), 'predecessor')).toEqual([{ type: 'inbox.read' }]);
    expect(sentTo(machine.send(empty), 'predecessor')).toEqual([{ type: 'token.take' }]);
    expect(sentTo(machine.send(taken), 'predecessor')[0]).toEqual(says('activated', 0));
    const step = machine.send(empty);
    expect(typesOf(step.reports)).toEqual(['takeover.activated', 'takeover.charged']);
    expect(sentTo(step, 'predecessor')).toEqual([]);
  });

  it('step 5: P hung → S commits, and the leave alarm kills P', () => {
    const machine = toStep(7, {});
    expect(sentTo(machine.send(fires('leave')), 'predecessor')).toEqual([{ type: 'inbox.read' }]);
    const step = machine.send({ type: 'inbox.empty', ...AT });
    expect(sentTo(step, 'predecessor')).toEqual([{ type: 'predecessor.kill' }]);
    expect(typesOf(step.reports)).toEqual(['predecessor.silent', 'predecessor.killed']);
    expect(sentTo(machine.send(fires('kill')), 'predecessor')).toEqual([{ type: 'predecessor.kill' }]);
    expect(machine.send(ended).state).toBe('ended');
  });

  it.each([
    ['in time', []],
    ['while this process hung', [fires('leave')]],
    ['and the end of its life pipe is seen first', [departed]],
  ] as const)(
    'X17: a predecessor that says it stays as the anchor is not waited for, and not killed: it says so %s',
    (_, before) => {
      const machine = toStep(7, {});
      for (const event of before) machine.send(event);
      const step = machine.send({ type: 'predecessor.anchored', pid: 90, startTime: '1', ...AT });
      expect(step.state).toBe('ended');
      expect(step.reports).toMatchObject([
        { type: 'anchor.introduced', pid: 90, startTime: '1' },
        { type: 'predecessor.gone' },
      ]);
      expect(sentTo(step, 'predecessor')).toEqual([]);
    },
  );
});

describe('the successor’s answer to a fault of the predecessor (exclusive)', () => {
  it.each([1, 3, 4] as const)('step %i: P killed → S serves when the last of P’s workers is gone', (at) => {
    const machine = toStep(at, EXCLUSIVE);
    expect(machine.send(ended, taken).state).toBe('alone.mourning');
    expect(alarmsOf(machine.now)).toEqual([{ alarm: 'bury', delayMs: 30_000 }]);
    expect(typesOf(machine.send(departed).reports)).toEqual(['takeover.activated', 'takeover.charged']);
  });

  it('what is left of P after the drain timeout is killed, and looked for again', () => {
    const machine = toStep(3, EXCLUSIVE);
    machine.send(ended, taken);
    expect(sentTo(machine.send(fires('bury')), 'predecessor')).toEqual([
      { type: 'leftovers.kill', leftovers: [WORKER] },
    ]);
    machine.send(counted(1), fires('bury'));
    expect(machine.send(counted(1)).state).toBe('alone.sweeping');
    machine.send(fires('bury'));
    expect(machine.send(counted(0)).state).toBe('charging');
  });

  it('step 3: P hung → S takes the token and kills P before anything serves', () => {
    const machine = toStep(3, EXCLUSIVE);
    machine.send(fires('takeover'), empty);
    const step = machine.send(taken);
    expect(sentTo(step, 'predecessor')).toEqual([{ type: 'predecessor.kill' }]);
    expect(typesOf(step.reports)).toEqual(['predecessor.killed']);
    expect(machine.send(ended, tokenGone).state).toBe('alone.mourning');
  });

  it('step 4: P hung while it drains → the same, after drain and takeover timeout', () => {
    const machine = toStep(4, EXCLUSIVE);
    expect(alarmsOf(machine.now)).toEqual([{ alarm: 'takeover', delayMs: 35_000 }]);
    expect(machine.send(fires('takeover')).state).toBe('undecided.waitingLook');
    expect(machine.send(empty, taken).state).toBe('ousting');
    expect(typesOf(sentTo(machine.send(fires('kill')), 'predecessor'))).toEqual(['predecessor.kill']);
  });

  it('step 5: P killed → S goes on with nothing to wait for when all of P is gone', () => {
    const machine = toStep(5, EXCLUSIVE);
    expect(typesOf(machine.send(departed, taken).reports)).toEqual([
      'predecessor.dead',
      'takeover.activated',
      'takeover.charged',
    ]);
  });
});

describe.each([['overlap', {}] as const, ['exclusive', EXCLUSIVE] as const])(
  'both modes (%s)',
  (_, changes) => {
    it('step 6: P killed before committed → S goes on', () => {
      const machine = toStep(6, changes);
      machine.send(ended);
      expect(typesOf(machine.send(charged).reports)).toEqual(['takeover.committed', 'predecessor.gone']);
    });

    it('step 7: P killed → S goes on', () => {
      expect(toStep(7, changes).send(ended).state).toBe('ended');
    });

    it('words that wait when the takeover alarm fires count', () => {
      const machine = toStep(3, changes);
      expect(machine.send(fires('takeover'), granted, empty).state).toBe('activated.probation');
      const drains = toStep(3, changes);
      expect(drains.send(fires('takeover'), draining).state).toBe('undecided.waiting');
    });

    it('a token that is gone condemns S, and P’s death frees it', () => {
      const machine = toStep(3, changes);
      expect(machine.send(fires('takeover'), empty, tokenGone).state).toBe('doomed.condemned');
      expect(machine.send(fires('takeover')).state).toBe('doomed.condemned');
      expect(machine.send(departed, tokenGone).state).toBe('charging');
    });

    it('a token that is gone at step 6 condemns S as well, unless P is dead', () => {
      const machine = toStep(5, changes);
      machine.send(fires('probation'));
      expect(machine.send(tokenGone).state).toBe('doomed.condemned');
      const alone = toStep(5, changes);
      alone.send(fires('probation'), ended);
      expect(alone.send(tokenGone).state).toBe('alone.claiming');
    });

    it.each([1, 3, 4, 5] as const)('step %i: a worker that fails is told, and S waits to be killed', (at) => {
      const machine = toStep(at, changes);
      const step = machine.send(slotFailed);
      expect(saidTo(step, 'predecessor')).toEqual(['failed']);
      expect(step.reports).toMatchObject([{ type: 'takeover.failed', reason: 'start-timeout' }]);
      expect(sentTo(step, 'predecessor').map(({ type }) => type)).not.toContain('token.take');
      expect(saidTo(machine.send(fires('takeover')), 'predecessor')).toEqual(['failed']);
      machine.send(departed);
      expect(typesOf(machine.send(taken).reports)).toEqual(['takeover.activated', 'takeover.charged']);
    });

    it.each([1, 3, 4, 5] as const)('step %i: a stop asked of S is passed to P', (at) => {
      const machine = toStep(at, changes);
      expect(saidTo(machine.send(stop), 'predecessor')).toEqual(['stop']);
      expect(machine.now.state).toBe('doomed.deferring');
      expect(saidTo(machine.send(fires('takeover')), 'predecessor')).toEqual(['stop']);
    });

    it('step 6: a stop is passed on as soon as P was told that S has committed', () => {
      const machine = toStep(6, changes);
      machine.send(stop);
      expect(saidTo(machine.send(charged), 'predecessor')).toEqual(['committed', 'stop']);
    });

    it('step 7: a stop that P passed on before it was killed is read before it counts as gone', () => {
      const machine = toStep(7, changes);
      machine.send(fires('leave'), empty);
      expect(machine.send(departed).state).toBe('leaving.burying');
      expect(machine.send(relayed).reports).toMatchObject([{ type: 'stop.requested', via: 'peer' }]);
      expect(typesOf(machine.send(empty).reports)).toEqual(['predecessor.gone']);
    });

    it('step 7: each tells the other of a stop, and S does not wait for more than P’s workers', () => {
      const machine = toStep(7, changes);
      expect(saidTo(machine.send(stop), 'predecessor')).toEqual(['stop']);
      expect(machine.send({ type: 'predecessor.drained', ...AT }).state).toBe('ended');
      const told = toStep(7, changes);
      expect(told.send(relayed).reports).toMatchObject([{ type: 'stop.requested', via: 'peer' }]);
      expect(told.send({ type: 'predecessor.drained', ...AT }).state).toBe('ended');
    });

    it('step 7: P’s workers are gone, and nobody asked for a stop: S waits for P itself', () => {
      const step = toStep(7, changes).send({ type: 'predecessor.drained', ...AT });
      expect(step.state).toBe('leaving.waiting');
    });
  },
);
