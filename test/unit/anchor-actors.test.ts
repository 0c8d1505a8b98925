import { expect, it } from 'vitest';
import { type AnyActorLogic, createActor, type EventObject, setup } from 'xstate';
import type { AnchorOrder, ServiceOrder } from '../../machines/anchor.js';
import type { Failure } from '../../machines/events.js';
import { createAnchor } from '../../src/actors/anchor.js';
import { createReaper } from '../../src/actors/reaper.js';
import { createService } from '../../src/actors/service.js';
import type { Env, StreamHandlers } from '../../src/os/env.js';

interface Side {
  readonly open: Set<number>;
  handlers: StreamHandlers | null;
  unread: string[];
}

/** A socket pair as the kernel has it: each side ends when the last descriptor of the other one is closed. */
class Pair {
  readonly #sides: readonly [Side, Side];
  #next = 20;

  constructor() {
    const side = (): Side => ({ open: new Set([this.#next++]), handlers: null, unread: [] });
    this.#sides = [side(), side()];
  }

  get descriptors(): readonly [number, number] {
    const [near, far] = this.#sides.map(({ open }) => [...open][0] ?? -1);
    return [near ?? -1, far ?? -1];
  }

  openOnes(): readonly number[] {
    return this.#sides.flatMap(({ open }) => [...open]).sort();
  }

  duplicate(descriptor: number): number {
    this.#sideOf(descriptor).open.add(this.#next);
    return this.#next++;
  }

  openStream(descriptor: number, handlers: StreamHandlers) {
    const side = this.#sideOf(descriptor);
    side.handlers = handlers;
    this.#deliver();
    return {
      write: (text: string) => {
        this.#otherOf(side).unread.push(text);
        this.#deliver();
        return 0;
      },
      close: () => {
        if (side.handlers === handlers) side.handlers = null;
        this.close(descriptor);
      },
    };
  }

  close(descriptor: number): void {
    const closed = this.#sides.find(({ open }) => open.delete(descriptor));
    if (closed === undefined) throw new Error(`${descriptor} was closed before`);
    if (closed.open.size === 0) this.#otherOf(closed).handlers?.onEnd();
  }

  #deliver(): void {
    for (const side of this.#sides) {
      if (side.handlers === null) continue;
      for (const text of side.unread.splice(0)) side.handlers.onData(new TextEncoder().encode(text));
    }
  }

  #sideOf(descriptor: number): Side {
    const side = this.#sides.find(({ open }) => open.has(descriptor));
    if (side === undefined) throw new Error(`${descriptor} is not open`);
    return side;
  }

  #otherOf(side: Side): Side {
    return this.#sides[side === this.#sides[0] ? 1 : 0];
  }
}

const over = (pair: Pair, more: Partial<Env> = {}): Env =>
  ({
    now: () => 5,
    socketPair: async () => pair.descriptors,
    openStream: (descriptor: number, handlers: StreamHandlers) => pair.openStream(descriptor, handlers),
    duplicate: (descriptor: number) => pair.duplicate(descriptor),
    close: (descriptor: number) => pair.close(descriptor),
    ...more,
  }) as Env;

/** Runs an effect as the child of somebody who writes down what it reports. */
const run = (logic: AnyActorLogic, input: unknown) => {
  const facts: EventObject[] = [];
  const parent = setup({ actors: { effect: logic } }).createMachine({
    invoke: { id: 'effect', src: 'effect', input },
    on: { '*': { actions: ({ event }) => facts.push(event) } },
  });
  const actor = createActor(parent).start();
  return {
    facts,
    tell: (order: ServiceOrder | AnchorOrder) => actor.getSnapshot().children.effect?.send(order),
    stop: () => actor.stop(),
  };
};

const SELF = { pid: 200, startTime: '3', generation: 2 };

/** Both sides, the first process watching already. */
const moored = async () => {
  const pair = new Pair();
  const [, far] = pair.descriptors;
  const service = run(createService(over(pair)), {});
  await Promise.resolve();
  expect(service.facts.splice(0)).toEqual([{ type: 'service.prepared', descriptor: far, atMs: 5 }]);
  // What a successor inherits is another descriptor of the same end.
  const descriptor = pair.duplicate(far);
  const generation = () => run(createAnchor(over(pair)), { ...SELF, descriptor });
  return { pair, service, descriptor, generation };
};

it('X17: a generation announces itself, and the anchor hears it when it watches, not before', async () => {
  const { service, generation } = await moored();
  generation();
  expect(service.facts).toEqual([]);
  service.tell({ type: 'service.watch' });
  expect(service.facts).toEqual([{ type: 'service.charged', ...SELF, atMs: 5 }]);
});

it.each([
  ['SIGUSR2', { type: 'reload.requested', via: 'SIGUSR2', id: null }],
  ['SIGHUP', { type: 'hangup.received' }],
  ['SIGTERM', { type: 'stop.requested', via: 'SIGTERM' }],
  ['SIGINT', { type: 'stop.requested', via: 'SIGINT' }],
  ['SIGQUIT', { type: 'stop.requested', via: 'SIGQUIT' }],
])('X17: %s is passed on with the number of stops', async (signal, request) => {
  const { service, generation } = await moored();
  service.tell({ type: 'service.watch' });
  const { facts } = generation();
  service.tell({ type: 'service.forward', signal, stops: 2 });
  expect(facts).toEqual([{ ...request, anchorStops: 2, atMs: 5 }]);
});

it('X17: what nobody reads waits for the generation that takes charge next', async () => {
  const { service, generation } = await moored();
  service.tell({ type: 'service.watch' });
  const first = generation();
  first.stop();
  service.tell({ type: 'service.forward', signal: 'SIGUSR2', stops: 0 });
  expect(first.facts).toEqual([]);
  expect(generation().facts).toMatchObject([{ type: 'reload.requested' }]);
});

it.each([[null], [{ code: 'TANIST_RESPAWN_LIMIT', message: 'too many' }]] satisfies [Failure | null][])(
  'X17: the anchor is told how it ended (%j), and then that nobody is left',
  async (failure) => {
    const { pair, service, descriptor, generation } = await moored();
    service.tell({ type: 'service.watch' });
    const { tell, stop } = generation();
    tell({ type: 'anchor.conclude', failure });
    stop();
    // The process ends, and with it the descriptor that it kept for a successor.
    pair.close(descriptor);
    expect(service.facts.slice(1)).toEqual([
      { type: 'service.concluded', failure, atMs: 5 },
      { type: 'service.ended', atMs: 5 },
    ]);
  },
);

it('X17: a reason too long for a line is cut, and still heard', async () => {
  const { service, generation } = await moored();
  service.tell({ type: 'service.watch' });
  generation().tell({ type: 'anchor.conclude', failure: { code: 'EIO', message: '\u0001'.repeat(100_000) } });
  const concluded = service.facts[1] as EventObject & { failure: Failure };
  expect(concluded.failure.code).toBe('EIO');
  expect(concluded.failure.message.length).toBe(2_000);
});

it('X17: the end of the anchor is told once, and its descriptor is given back', async () => {
  const { pair, service, generation } = await moored();
  service.tell({ type: 'service.watch' });
  const { facts, stop } = generation();
  service.stop();
  expect(facts).toEqual([{ type: 'anchor.ended', atMs: 5 }]);
  stop();
  expect(pair.openOnes()).toEqual([]);
});

it('X17: a first process that ends without having been an anchor closes both ends', async () => {
  const { pair, service, descriptor } = await moored();
  service.stop();
  expect(pair.openOnes()).toEqual([descriptor]);
});

it('X17: words that are none are ignored', async () => {
  const { pair, service, descriptor } = await moored();
  service.tell({ type: 'service.watch' });
  const nonsense = pair.openStream(descriptor, { onData: () => undefined, onEnd: () => undefined });
  for (const line of [
    'nonsense',
    '{"say":7}',
    '{"say":"charged","pid":0}',
    '{"say":"signal","signal":"SIGKILL"}',
  ])
    nonsense.write(`${line}\n`);
  expect(service.facts).toEqual([]);
  const { facts } = run(createAnchor(over(pair)), { ...SELF, descriptor });
  for (const signal of ['SIGKILL', 'constructor'])
    service.tell({ type: 'service.forward', signal, stops: 1 });
  expect(facts).toEqual([]);
});

it('X17: where no descriptor is left the anchor is heard as soon as there is one', async () => {
  const { pair, service, descriptor } = await moored();
  service.tell({ type: 'service.watch' });
  const timers: (() => void)[] = [];
  let left = 0;
  const env = over(pair, {
    duplicate: (of) => {
      if (left === 0) throw new Error('EMFILE');
      return pair.duplicate(of);
    },
    setTimer: (callback, delayMs) => {
      expect(delayMs).toBe(1_000);
      timers.push(callback);
      return () => undefined;
    },
  });
  const { facts } = run(createAnchor(env), { ...SELF, descriptor });
  service.tell({ type: 'service.forward', signal: 'SIGTERM', stops: 1 });
  timers.shift()?.();
  expect(facts).toEqual([]);
  left = 1;
  timers.shift()?.();
  expect(facts).toMatchObject([{ type: 'stop.requested' }]);
});

/** Processes that are given to this one, and a loop that turns when it is told to. */
const reaping = (pid: number, obstacle: string | null) => {
  const zombies = new Set<number>();
  const reaped: number[] = [];
  const polls: (() => void)[] = [];
  let onChild = (): void => {
    // Nobody listens yet.
  };
  const env = {
    pid,
    now: () => 5,
    orphans: () => [...zombies],
    reapOrphan: (orphan: number) => {
      if (obstacle !== null) return obstacle;
      zombies.delete(orphan);
      reaped.push(orphan);
      return null;
    },
    reapingObstacle: () => obstacle,
    afterPoll: (callback: () => void) => {
      polls.push(callback);
      return () => {
        if (polls.includes(callback)) polls.splice(polls.indexOf(callback), 1);
      };
    },
    onSignal: (signal: string, callback: () => void) => {
      expect(signal).toBe('SIGCHLD');
      onChild = callback;
      return () => undefined;
    },
  } as unknown as Env;
  return {
    zombies,
    reaped,
    polls,
    env,
    signal: () => onChild(),
    turn: () => {
      for (const callback of polls.splice(0)) callback();
    },
  };
};

it('X17: an orphan is reaped when the loop has seen its signal and nobody else waits for it', () => {
  const world = reaping(1, null);
  const { facts } = run(createReaper(world.env), {});
  world.zombies.add(7).add(8);
  world.signal();
  world.turn();
  expect(world.reaped).toEqual([]);
  // Node has reaped one of them: it was a child of its own.
  world.zombies.delete(8);
  world.turn();
  expect(world.reaped).toEqual([7]);
  expect(facts).toEqual([{ type: 'orphan.reaped', pid: 7, atMs: 5 }]);
  expect(world.polls).toEqual([]);
});

it('X17: an orphan that was dead before the reaper started is reaped, too', () => {
  const world = reaping(1, null);
  world.zombies.add(7);
  run(createReaper(world.env), {});
  world.turn();
  expect(world.reaped).toEqual([7]);
});

it('X17: orphans that cannot be reaped are mentioned once, and looked at no more than they come', () => {
  const world = reaping(1, 'koffi is not installed');
  const { facts } = run(createReaper(world.env), {});
  world.zombies.add(7).add(8);
  for (let count = 0; count < 3; count += 1) {
    world.signal();
    world.turn();
    world.turn();
    expect(world.polls).toEqual([]);
  }
  expect(facts).toEqual([{ type: 'reaping.failed', message: 'koffi is not installed', atMs: 5 }]);
});

it('X17: a process that is no init does not complain before it is given an orphan', () => {
  const world = reaping(500, 'koffi is not installed');
  const { facts } = run(createReaper(world.env), {});
  expect(facts).toEqual([]);
  world.zombies.add(7);
  world.signal();
  world.turn();
  world.turn();
  expect(facts).toMatchObject([{ type: 'reaping.failed' }]);
});
