import { describe, expect, it } from 'vitest';
import { type AnyEventObject, createActor, setup } from 'xstate';
import { createFence } from '../../src/actors/flock.js';
import type { Env } from '../../src/os/env.js';

/** The facts the fence states where `tryLock` answers as given, one answer a try. */
const factsWith = (tries: readonly (() => boolean)[]): readonly AnyEventObject[] => {
  const facts: AnyEventObject[] = [];
  const timers: (() => void)[] = [];
  const left = [...tries];
  const env = {
    now: () => 1,
    openFence: () => 7,
    tryLock: () => left.shift()?.() ?? false,
    holdersOf: () => [41],
    setTimer: (callback: () => void) => {
      timers.push(callback);
      return () => undefined;
    },
    close: () => undefined,
  } as unknown as Env;
  const machine = setup({ actors: { fence: createFence(env) } }).createMachine({
    invoke: { src: 'fence', input: { path: '/run/daemon.workers', inherited: null } },
    on: { '*': { actions: ({ event }) => facts.push(event) } },
  });
  const actor = createActor(machine);
  actor.subscribe({ error: (error) => facts.push({ type: 'error', error }) });
  actor.start();
  for (let timer = timers.shift(); timer !== undefined && left.length > 0; timer = timers.shift()) timer();
  return facts;
};

const breaks = (): boolean => {
  throw new Error('ENOLCK: no locks available');
};

describe('the lock that workers share', () => {
  it('is said to have failed where the system gives no lock, at the first try', () => {
    expect(factsWith([breaks])).toMatchObject([
      { type: 'fence.failed', message: expect.stringMatching(/ENOLCK/) },
    ]);
  });

  it('is said to have failed where the system gives no lock, at a later try', () => {
    const facts = factsWith([() => false, breaks]);
    expect(facts.map(({ type }) => type)).toEqual(['fence.waiting', 'fence.failed']);
  });
});
