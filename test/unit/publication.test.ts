/**
 * What outlives a failure or a reload: pid and control path of who is in charge, and workers without a supervisor.
 */
import { describe, expect, it } from 'vitest';
import type { SupervisorEvent } from '../../machines/events.js';
import { supervisorMachine } from '../../machines/supervisor.js';
import { alarmsOf, drive, sentTo, typesOf } from '../../src/testing/drive.js';
import { settingsWith } from '../model/settings.js';

const AT = { atMs: 9_000 };
const LEFTOVER = { pid: 601, startTime: '1' };
const failed = { code: 'EMFILE', message: 'too many open files', ...AT };
const stop: SupervisorEvent = { type: 'stop.requested', via: 'SIGTERM', ...AT };
const fires: SupervisorEvent = { type: 'alarm.fired', alarm: 'publish', ...AT };
const reload: SupervisorEvent = { type: 'reload.requested', via: 'SIGUSR2', id: null, ...AT };
const settings = settingsWith();

const successor = (leftovers?: readonly (typeof LEFTOVER)[]) => {
  const supervisor = drive(supervisorMachine, {
    settings,
    version: '1.0.0',
    self: { pid: 100, startTime: '2' },
    startedAtMs: 1_000,
    hangupStops: false,
    handover: {
      messages: 3,
      record: {
        version: 1,
        tanist: '1.0.0',
        name: 'daemon',
        pidFile: settings.pidFile,
        handoff: 'overlap',
        generation: 2,
        predecessor: { pid: 99, startTime: '1' },
        workers: [],
        ...(leftovers === undefined ? {} : { leftovers }),
        requestedAtMs: 4_000,
        ids: [],
        hangupStops: false,
        descriptors: { lock: 4, token: 5, lifeWrite: 6, lifeRead: 7, peerRead: 8, fence: null },
        listeners: [],
      },
    },
  });
  const worker = { slot: 1, place: 1, generation: 2, pid: 401 };
  supervisor.send(
    { type: 'worker.spawned', ...worker, startTime: '1', ...AT },
    { type: 'worker.ready', ...worker, bootMs: 5, ...AT },
    { type: 'takeover.asked', ...AT },
    { type: 'takeover.activated', ...AT },
    { type: 'takeover.charged', ...AT },
  );
  return supervisor;
};

describe('pid and control path', () => {
  for (const type of ['pid.failed', 'control.failed'] as const) {
    it(`are written again a second after ${type}`, () => {
      const supervisor = successor();
      const waiting = supervisor.send({ type, ...failed });
      expect(alarmsOf(waiting)).toEqual([{ alarm: 'publish', delayMs: 1_000 }]);
      const again = supervisor.send(fires);
      expect(typesOf(sentTo(again, 'lock'))).toEqual(['pid.write']);
      expect(typesOf(sentTo(again, 'control'))).toEqual(['control.claim']);
      expect(alarmsOf(again)).toEqual([]);
    });
  }

  it('are left alone once a successor may have written its own', () => {
    const supervisor = successor();
    supervisor.send(
      { type: 'takeover.committed', ...AT },
      { type: 'predecessor.gone', leftovers: [], ...AT },
    );
    supervisor.send({ type: 'pid.failed', ...failed }, reload);
    const step = supervisor.send(fires);
    expect([step.state, sentTo(step, 'lock'), sentTo(step, 'control')]).toEqual(['reloading', [], []]);
  });

  it('are not written any more after a stop', () => {
    const supervisor = successor();
    supervisor.send({ type: 'takeover.committed', ...AT }, stop);
    expect(alarmsOf(supervisor.send({ type: 'pid.failed', ...failed }))).toEqual([]);
  });
});

describe('workers that lost their supervisor', () => {
  it('are named to the next generation, as long as they may drain', () => {
    const supervisor = successor([LEFTOVER]);
    supervisor.send(
      { type: 'takeover.committed', ...AT },
      { type: 'predecessor.gone', leftovers: [], ...AT },
    );
    const [started] = supervisor.send(reload).spawned;
    expect(started?.input).toMatchObject({ record: { generation: 3, leftovers: [LEFTOVER] } });
  });

  it('are killed by the generation that is in charge when their time is over', () => {
    const supervisor = successor([LEFTOVER]);
    const committed = supervisor.send({ type: 'takeover.committed', ...AT });
    expect(alarmsOf(committed)).toEqual([{ alarm: 'leftovers', delayMs: 30_000 }]);
    expect(supervisor.send({ type: 'alarm.fired', alarm: 'leftovers', ...AT }).spawned).toEqual([
      { id: 'leftovers', src: 'leftovers', input: { leftovers: [LEFTOVER] } },
    ]);
  });
});
