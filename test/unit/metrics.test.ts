import { describe, expect, it } from 'vitest';
import { BOUNDS_MS, noCounters, observed } from '../../machines/counters.js';
import { formatRecord, type HandoverRecord, parseRecord } from '../../machines/handover.js';
import { statusOf } from '../../machines/status.js';
import { exposition } from '../../src/metrics/exposition.js';
import { familiesOf, type Usage } from '../../src/metrics/families.js';
import { createTally } from '../../src/metrics/tally.js';
import { usageOf } from '../../src/os/usage.js';
import { parseOpenMetrics, sampleValue } from './openmetrics.js';
import { exited, fires, newSupervisor, STARTED, says, spawned } from './recorded-supervisor.js';

/** A supervisor whose clock stands still until it is moved. */
const counted = () => {
  const clock = { nowMs: 10_000 };
  const tally = createTally({ before: undefined, now: () => clock.nowMs });
  const supervisor = newSupervisor();
  supervisor.actor.system.inspect(tally.observe);
  supervisor.start();
  supervisor.send(...STARTED);
  supervisor.sendWorker(spawned(401), says);
  return { ...supervisor, tally, clock };
};

const reloadRequest = (id: string) =>
  ({ type: 'reload.requested', via: 'control', id, atMs: 9_000 }) as const;

describe('what is counted', () => {
  it('is every process but the first of a slot', () => {
    const { sendWorker, tally } = counted();
    expect(tally.counters().respawns).toBe(0);
    sendWorker(
      exited(401),
      fires('backoff'),
      spawned(402),
      says,
      exited(402),
      fires('backoff'),
      spawned(403),
    );
    expect(tally.counters().respawns).toBe(2);
  });

  it('is how long a worker took to leave, and not one that crashed', () => {
    const { send, sendWorker, tally, clock } = counted();
    sendWorker(exited(401), fires('backoff'), spawned(402), says);
    expect(tally.counters().drainMs.counts).toEqual(noCounters().drainMs.counts);
    send({ type: 'stop.requested', via: 'SIGTERM', atMs: 9_000 });
    clock.nowMs += 700;
    sendWorker(exited(402));
    const { drainMs } = tally.counters();
    expect(drainMs.sumMs).toBe(700);
    expect(drainMs.counts[BOUNDS_MS.indexOf(1_000)]).toBe(1);
  });

  it('is each reload once, by its outcome, whoever joins it', () => {
    const { send, tally } = counted();
    const refused = {
      type: 'reload.refused',
      outcome: 'refused',
      generation: 2,
      pid: 201,
      reason: 'exited',
      detail: 'it exited',
      leftovers: [],
      atMs: 12_000,
    } as const;
    send(reloadRequest('a'), reloadRequest('b'), refused);
    expect(tally.counters()).toMatchObject({
      reloads: { promoted: 0, refused: 1, 'rolled-back': 0 },
      reloadMs: { sumMs: 3_000 },
    });
    // Promoted is what its successor counts; one that dies in charge was rolled back, and nothing else.
    send(reloadRequest('c'), { type: 'handoff.begun', atMs: 13_000 });
    send({ type: 'reload.promoted', generation: 3, pid: 301, atMs: 14_000 });
    expect(tally.counters().reloads).toEqual({ promoted: 0, refused: 1, 'rolled-back': 0 });
    send({ ...refused, outcome: 'rolled-back', generation: 3, pid: 301 });
    expect(tally.counters().reloads).toEqual({ promoted: 0, refused: 1, 'rolled-back': 1 });
  });

  it('goes on from what was counted before, and travels in the hand-over record', () => {
    const before = { ...noCounters(), respawns: 7, reloadMs: observed(noCounters().reloadMs, 99) };
    expect(createTally({ before, now: () => 0 }).counters()).toEqual(before);
    const record = {
      version: 1,
      tanist: '0.1.0',
      name: 'web',
      pidFile: '/run/web.pid',
      handoff: 'overlap',
      generation: 2,
      predecessor: { pid: 4711, startTime: '815' },
      workers: [],
      requestedAtMs: 1,
      ids: [],
      hangupStops: false,
      counters: before,
      descriptors: { lock: 4, token: 5, lifeWrite: 6, lifeRead: 7, peerRead: 8, fence: null },
      listeners: [],
    } satisfies HandoverRecord;
    expect(parseRecord(formatRecord(record))).toEqual({ ok: true, record });
    for (const wrong of [{ ...before, respawns: -1 }, { ...before, drainMs: { counts: [1], sumMs: 0 } }, 3])
      expect(parseRecord(JSON.stringify({ ...record, counters: wrong }))).toMatchObject({
        ok: false,
        problem: expect.stringMatching(/^the hand-over record is not valid: counters: /),
      });
  });

  it('puts a duration into the first bucket that holds it, and longer ones into the last', () => {
    const { counts, sumMs } = [0, 50, 51, 120_000, 120_001].reduce(observed, noCounters().drainMs);
    expect([counts[0], counts[1], counts.at(-2), counts.at(-1)]).toEqual([2, 1, 1, 1]);
    expect(sumMs).toBe(240_102);
  });
});

describe('the text of the metrics', () => {
  const measured = (usage: Usage | null = { memoryBytes: 1_024, cpuMs: 20 }) => {
    const { actor, tally } = counted();
    const status = { ...statusOf(actor.getSnapshot()), name: 'a "name"\\\n' };
    return { status, counters: tally.counters(), usageOf: () => usage, lagMs: 1.5, busyMs: 250 };
  };

  it('is OpenMetrics, to the letter', () => {
    const text = exposition(familiesOf(measured()));
    const families = parseOpenMetrics(text);
    const value = (name: string, labels = {}) => sampleValue(families, name, labels);
    expect(value('tanist_info', { name: 'a "name"\\\n', version: '1.2.3', handoff: 'overlap' })).toBe(1);
    expect(value('tanist_generation')).toBe(1);
    expect(value('tanist_supervisor_state', { tanist_supervisor_state: 'running' })).toBe(1);
    expect(value('tanist_supervisor_state', { tanist_supervisor_state: 'stopping' })).toBe(0);
    expect(value('tanist_workers', { state: 'ready' })).toBe(1);
    expect(value('tanist_worker_memory_bytes', { slot: '1' })).toBe(1_024);
    expect(value('tanist_worker_cpu_seconds_total', { slot: '1' })).toBe(0.02);
    expect(value('tanist_event_loop_lag_seconds')).toBe(0.0015);
    expect(value('tanist_event_loop_busy_seconds_total')).toBe(0.25);
    expect(value('tanist_reloads_total', { outcome: 'rolled-back' })).toBe(0);
    expect(value('tanist_reload_duration_seconds_bucket', { le: '+Inf' })).toBe(0);
    expect(value('tanist_reload_duration_seconds_bucket', { le: '1.0' })).toBe(0);
    for (const { help } of families) expect(help).toMatch(/\.$/);
  });

  it('has no sample where the system does not tell', () => {
    const families = parseOpenMetrics(exposition(familiesOf(measured(null))));
    expect(sampleValue(families, 'tanist_worker_memory_bytes')).toBeUndefined();
    expect(sampleValue(families, 'tanist_workers', { state: 'ready' })).toBe(1);
  });

  it('is refused by the reader of this test when anything is wrong with it', () => {
    const text = exposition(familiesOf(measured()));
    for (const [from, to] of [
      ['# EOF\n', ''],
      ['tanist_reloads_total{outcome="refused"}', 'tanist_reloads{outcome="refused"}'],
      ['_bucket{le="+Inf"} 0', '_bucket{le="+Inf"} 3'],
      ['le="1.0"', 'le="1"'],
      ['# UNIT tanist_worker_memory_bytes bytes', '# UNIT tanist_worker_memory_bytes seconds'],
      ['state="ready"', 'state="starting"'],
      ['tanist_generation 1', 'tanist_generation one'],
      ['{state="ready"}', '{state="ready",}'],
    ] as const) {
      expect(text).toContain(from);
      expect(() => parseOpenMetrics(text.replace(from, to)), `${from} → ${to}`).toThrow('no OpenMetrics');
    }
  });
});

it('the usage of this process is told, and none of one that is gone', () => {
  const own = usageOf(process.pid);
  expect(own?.memoryBytes).toBeGreaterThan(10_000_000);
  expect(own?.memoryBytes).toBeLessThan(process.memoryUsage().rss * 2);
  const { user, system } = process.cpuUsage();
  expect(own?.cpuMs).toBeLessThanOrEqual((user + system) / 1_000 + 10);
  expect(usageOf(2 ** 30)).toBeNull();
});
