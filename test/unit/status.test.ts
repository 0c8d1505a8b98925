import { describe, expect, it } from 'vitest';
import { statusOf, topState } from '../../machines/status.js';
import { supervisorMachine } from '../../machines/supervisor.js';
import { drive } from '../../src/testing/drive.js';
import { settingsWith } from '../model/settings.js';

const AT = { atMs: 1_700_000_000_000 };

const supervisor = () => {
  const machine = drive(supervisorMachine, {
    settings: settingsWith({ listen: [{ name: 'web', kind: 'tcp', host: '127.0.0.1', port: 0 }] }),
    version: '1.2.3',
    self: { pid: 100, startTime: '1' },
    startedAtMs: 1_699_999_999_000,
    hangupStops: false,
    handover: null,
  });
  machine.send(
    { type: 'lock.acquired', descriptor: 5, ...AT },
    {
      type: 'listeners.bound',
      listeners: [{ name: 'web', address: '127.0.0.1:40123', descriptor: 7 }],
      ...AT,
    },
    { type: 'lifePipe.opened', write: 8, read: 9, ...AT },
    { type: 'control.claimed', path: '/run/daemon.sock', ...AT },
    { type: 'worker.spawned', slot: 1, place: 1, generation: 1, pid: 401, startTime: '1', ...AT },
  );
  return machine;
};

describe('the status', () => {
  it('names the outermost state', () => {
    expect([topState('running'), topState({ idle: 'starting' })]).toEqual(['running', 'idle']);
  });

  it('says everything there is to say, with times as ISO 8601 and addresses as bound', () => {
    const machine = supervisor();
    const step = machine.send({
      type: 'worker.ready',
      slot: 1,
      place: 1,
      generation: 1,
      pid: 401,
      bootMs: 1,
      ...AT,
    });
    expect(statusOf(step.snapshot)).toEqual({
      name: 'daemon',
      version: '1.2.3',
      state: 'running',
      generation: 1,
      pid: 100,
      startedAt: '2023-11-14T22:13:19.000Z',
      handoff: 'overlap',
      origin: null,
      logFile: null,
      pidFile: '/run/daemon.pid',
      journal: null,
      listeners: [{ name: 'web', address: '127.0.0.1:40123' }],
      workers: [
        {
          slot: 1,
          pid: 401,
          state: 'ready',
          generation: 1,
          startedAt: '2023-11-14T22:13:20.000Z',
          respawns: 0,
          lastExit: null,
          status: null,
          memoryBytes: null,
          relief: null,
        },
      ],
      standby: [],
      reload: null,
      lastReload: null,
      anchor: null,
      account: null,
    });
  });

  it('says how the last worker ended, and what a reload under way is doing', () => {
    const machine = supervisor();
    const step = machine.send(
      {
        type: 'worker.exited',
        slot: 1,
        place: 1,
        generation: 1,
        pid: 401,
        code: null,
        signal: 'SIGKILL',
        ...AT,
      },
      { type: 'reload.requested', via: 'control', id: 'a', ...AT },
      { type: 'reload.started', pid: 201, generation: 2, ...AT },
    );
    const { state, workers, reload } = statusOf(step.snapshot);
    expect(state).toBe('reloading');
    expect(workers[0]).toMatchObject({
      pid: null,
      state: 'backoff',
      lastExit: { code: null, signal: 'SIGKILL', at: '2023-11-14T22:13:20.000Z' },
    });
    expect(reload).toEqual({
      phase: 'warming',
      startedAt: '2023-11-14T22:13:20.000Z',
      successorPid: 201,
    });
  });

  it('is plain JSON', () => {
    const status = statusOf(supervisor().now.snapshot);
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });
});
