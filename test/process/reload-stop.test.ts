import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Generations, MODES, type Mode } from './generations.js';
import { type Daemon, get } from './harness.js';

let world: Generations;

beforeEach(() => {
  world = new Generations();
});

afterEach(() => world.dispose());

interface Pids {
  readonly predecessor: number;
  readonly successor: number;
}

/** Every way to ask for a stop while two generations exist. */
const WAYS: readonly (readonly [string, (pids: Pids) => Promise<unknown> | boolean])[] = [
  ['on the control socket', () => world.tanist('stop')],
  ['by SIGTERM to the predecessor', ({ predecessor }) => process.kill(predecessor, 'SIGTERM')],
  ['by SIGTERM to the successor', ({ successor }) => process.kill(successor, 'SIGTERM')],
];

/** Nothing runs, nothing is left, and whoever started the daemon hears that all went well. */
const expectEnd = async (daemon: Daemon): Promise<void> => {
  await world.empty();
  expect(world.remains()).toEqual([]);
  expect(await daemon.exit()).toEqual({ code: 0, signal: null });
};

/** A request that is answered when the gate opens. */
const askSlowly = async (address: string, generation: number): Promise<{ answer: Promise<number> }> => {
  const answer = get(address, `/slow?until=${world.path('answer')}`).then(({ status }) => status);
  // Whether it is answered or cut is looked at later.
  answer.catch(() => undefined);
  await world.step('answering', generation);
  return { answer };
};

const successorOf = async (daemon: Daemon): Promise<Pids> => {
  const { pid } = await daemon.line('reload.started');
  return { predecessor: daemon.pid, successor: Number(pid) };
};

describe.each(MODES)('a stop during a reload, %s', (mode: Mode) => {
  it.each(WAYS)('ends both generations while the successor boots: asked %s', async (_, ask) => {
    const { daemon } = await world.started({ mode, options: ['--workers', '2'] });
    world.release({ gate: world.path('never') });
    const reload = world.reload();
    const pids = await successorOf(daemon);
    await world.step('started', 2);
    const asked = ask(pids);
    expect(await reload).toMatchObject({
      status: 409,
      verdict: { outcome: 'refused', reason: 'stopped', generation: 2 },
    });
    await expectEnd(daemon);
    if (asked instanceof Promise) expect(await asked).toMatchObject({ status: 0 });
  });
});

describe('a stop while the workers of an exclusive predecessor drain', () => {
  it.each(WAYS)('ends both generations, and no new worker serves: asked %s', async (_, ask) => {
    const leave = world.path('leave');
    world.release({ leave });
    const { daemon } = await world.started({ mode: 'exclusive', listen: false });
    world.release({});
    const reload = world.reload();
    const pids = await successorOf(daemon);
    await world.step('leaving', 1);
    const asked = ask(pids);
    await daemon.line('reload.refused');
    world.open(leave);
    expect((await reload).verdict).toMatchObject({ outcome: 'refused', reason: 'stopped' });
    await expectEnd(daemon);
    if (asked instanceof Promise) expect(await asked).toMatchObject({ status: 0 });
    expect(world.steps().filter(({ step }) => step === 'serving')).toHaveLength(1);
    expect(world.steps().filter(({ step }) => step === 'left')).toMatchObject([{ generation: 1 }]);
  });
});

describe('a stop after a reload, while the predecessor still answers a slow request', () => {
  const bothBusy = async () => {
    const { daemon, address } = await world.started();
    const first = await askSlowly(address, 1);
    await world.reload();
    const pids = await successorOf(daemon);
    await world.step('leaving', 1);
    await world.step('serving', 2);
    const second = await askSlowly(address, 2);
    return { daemon, pids, answers: [first.answer, second.answer] };
  };

  it.each(WAYS)('lets both generations finish what they answer: asked %s', async (_, ask) => {
    const { daemon, pids, answers } = await bothBusy();
    const asked = ask(pids);
    // Both know of it by now, and both wait for their workers.
    await world.step('leaving', 2);
    await daemon.line('stop.requested', ({ supervisorPid }) => supervisorPid === pids.predecessor);
    world.open(world.path('answer'));
    expect(await Promise.all(answers)).toEqual([200, 200]);
    await expectEnd(daemon);
    if (asked instanceof Promise) expect(await asked).toMatchObject({ status: 0 });
    // One of them was asked and told the other, and that was all there is to tell.
    const stops = daemon.lines().filter(({ event }) => event === 'stop.requested');
    expect(stops).toHaveLength(2);
  });

  it('takes a stop that a service manager asks of both at once for one', async () => {
    const { daemon, pids, answers } = await bothBusy();
    for (const pid of Object.values(pids)) process.kill(pid, 'SIGTERM');
    await daemon.manyLines(4, 'stop.requested');
    world.open(world.path('answer'));
    expect(await Promise.all(answers)).toEqual([200, 200]);
    await expectEnd(daemon);
  });

  it('leaves nothing behind when the successor is killed meanwhile', async () => {
    const { daemon, pids, answers } = await bothBusy();
    process.kill(pids.predecessor, 'SIGTERM');
    await world.step('leaving', 2);
    process.kill(pids.successor, 'SIGKILL');
    // Both end anyway: nobody need be woken.
    expect((await daemon.line('successor.lost')).level).toBe('info');
    world.open(world.path('answer'));
    await Promise.allSettled(answers);
    await expectEnd(daemon);
  });

  it.each(['predecessor', 'successor'] as const)(
    'kills the workers of both when it is asked twice of the %s',
    async (whom) => {
      const { daemon, pids, answers } = await bothBusy();
      const asked = ({ supervisorPid }: { supervisorPid: number }) => supervisorPid === pids[whom];
      process.kill(pids[whom], 'SIGTERM');
      await daemon.line('stop.requested', asked);
      process.kill(pids[whom], 'SIGTERM');
      await daemon.manyLines(2, 'stop.requested', asked);
      expect(await Promise.allSettled(answers)).toMatchObject([
        { status: 'rejected' },
        { status: 'rejected' },
      ]);
      await expectEnd(daemon);
      expect(world.steps().filter(({ step }) => step === 'left')).toEqual([]);
    },
  );
});
