import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fromCallback } from 'xstate';
import type { SupervisorEvent } from '../../machines/events.js';
import type { Status } from '../../machines/status.js';
import { createSupervisor } from '../../src/embed.js';
import { type Embedding, harmless } from '../../src/embedding.js';
import { Subscribers } from '../../src/subscribers.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const exited: SupervisorEvent = {
  type: 'worker.exited',
  slot: 1,
  place: 1,
  generation: 1,
  pid: 42,
  code: 1,
  signal: null,
  atMs: 1,
};
const ready: SupervisorEvent = {
  type: 'worker.ready',
  slot: 1,
  place: 1,
  generation: 1,
  pid: 42,
  bootMs: 5,
  atMs: 0,
};
const stopping = { state: 'stopping' } as Status;

/** Subscribers of a supervisor that runs, and what went wrong in them. */
const newSubscribers = () => {
  const failures: string[] = [];
  const context = { slots: 1 };
  const subscribers = new Subscribers(
    () => stopping,
    (error, what) => failures.push(`${what}: ${error}`),
  );
  const tell = (event: { type: string }, changed = true) =>
    subscribers.tell(event, { value: 'running', context: changed ? { slots: 2 } : context });
  tell({ type: 'xstate.init' }, false);
  return { subscribers, failures, tell };
};

describe('a handler', () => {
  it('hears events of its name in their order, at the end of the turn, whenever in the turn it came', async () => {
    const { subscribers, tell } = newSubscribers();
    const heard: string[] = [];
    tell(ready);
    subscribers.on('worker.exited', ({ pid }) => heard.push(`exited ${pid}`));
    subscribers.on('*', ({ type }) => heard.push(type));
    tell(exited);
    tell({ type: 'xstate.done.actor.kill' });
    expect(heard).toEqual([]);
    await turn();
    expect(heard).toEqual(['worker.ready', 'exited 42', 'worker.exited']);
  });

  it('hears nothing any more once its subscription or the supervisor has ended', async () => {
    const { subscribers, tell } = newSubscribers();
    const heard: string[] = [];
    const handler = ({ type }: { type: string }) => heard.push(type);
    const first = subscribers.on('worker.exited', handler);
    subscribers.on('worker.exited', handler);
    first.unsubscribe();
    first.unsubscribe();
    tell(exited);
    await turn();
    expect(heard).toEqual(['worker.exited']);
    tell(ready);
    subscribers.end();
    tell(exited);
    await turn();
    expect(heard).toEqual(['worker.exited', 'worker.exited']);
    tell(exited);
    await turn();
    expect(heard).toHaveLength(2);
  });

  it('that throws, or rejects, keeps nobody else from hearing', async () => {
    const { subscribers, failures, tell } = newSubscribers();
    const heard: string[] = [];
    subscribers.on('worker.exited', () => {
      throw new Error('at once');
    });
    subscribers.on('worker.exited', async () => {
      throw new Error('later');
    });
    subscribers.on('worker.exited', ({ type }) => heard.push(type));
    tell(exited);
    await turn();
    expect(heard).toEqual(['worker.exited']);
    expect(failures).toEqual(['worker.exited: Error: at once', 'worker.exited: Error: later']);
  });

  it('is refused for a name that no event has, with the one that was meant', () => {
    const { subscribers } = newSubscribers();
    // @ts-expect-error: no event has that name.
    expect(() => subscribers.on('worker.exitted', () => undefined)).toThrow(
      'on("worker.exitted"): expected the name of an event, or "*": did you mean worker.exited?',
    );
    // @ts-expect-error: it is no function.
    expect(() => subscribers.on('worker.exited', null)).toThrow(
      'on("worker.exited"): expected a function, not null',
    );
  });
});

describe('an observer of the status', () => {
  it('hears of a turn that has changed something once, and of one that has not never', async () => {
    const { subscribers, tell } = newSubscribers();
    await turn();
    const heard: unknown[] = [];
    subscribers.subscribe((status) => heard.push(status));
    subscribers.subscribe({ complete: () => heard.push('the end') });
    tell({ type: 'inbox.empty' }, false);
    await turn();
    expect(heard).toEqual([]);
    tell(ready);
    tell(exited);
    await turn();
    expect(heard).toEqual([stopping]);
    subscribers.end();
    await turn();
    expect(heard).toEqual([stopping, stopping, 'the end']);
  });

  it('is refused when there is nobody to be called', () => {
    const { subscribers } = newSubscribers();
    expect(() => subscribers.subscribe({})).toThrow('subscribe(): expected a function, not undefined');
    // @ts-expect-error: neither a function nor an observer.
    expect(() => subscribers.subscribe({ complete: 1 })).toThrow(
      'subscribe({ complete }): expected a function',
    );
  });
});

describe('an inspector', () => {
  it('that throws is told once, and goes on being called', () => {
    const failures: unknown[] = [];
    let calls = 0;
    const show = harmless(
      {
        next: () => {
          calls += 1;
          throw new Error(`call ${calls}`);
        },
      },
      (error) => failures.push(error),
    );
    const inspection = { type: '@xstate.event' } as Parameters<typeof show>[0];
    show(inspection);
    show(inspection);
    expect([calls, failures.map(String)]).toEqual([2, ['Error: call 1']]);
  });
});

describe('what a program brings along', () => {
  const directory = () => {
    const path = mkdtempSync(join(tmpdir(), 'tanist-embedding-'));
    onTestFinished(() => rmSync(path, { recursive: true, force: true }));
    return path;
  };
  const start = (embedding: unknown) => () =>
    createSupervisor(
      { command: 'sleep', args: ['1000'], name: 'never', runDir: directory(), logLevel: 'silent' },
      embedding as Embedding,
    );

  it.each([
    [null, 'the second argument is null: expected an object, such as { inspect }'],
    [console.log, /^the second argument is .*: expected an object/],
    [{ inspekt: console.log }, /^inspekt: expected one of inspect, provide, .*: did you mean inspect\?$/],
    [
      { inspect: 1, takeSignals: 'no' },
      '2 mistakes\n  inspect 1: expected a function, or an observer with a function next\n  takeSignals "no": expected true or false',
    ],
    [{ provide: () => null }, 'provide null: expected an object of effects, such as { fork }'],
    [
      { provide: () => ({ forc: fromCallback(() => undefined) }) },
      /^provide forc: expected one of alarm, .*: did you mean fork\?$/,
    ],
    [
      { provide: () => ({ fork: () => undefined }) },
      /^provide fork .*: expected an actor, such as fromCallback\(\) makes one$/,
    ],
  ])('is refused in words if it is wrong: %j', (embedding, message) => {
    expect(start(embedding)).toThrow(message);
  });

  it('is told where it belongs when it is among the settings', () => {
    const settings = { command: 'sleep', inspect: () => undefined, takeSignals: false };
    expect(() => createSupervisor(settings)).toThrow(
      /^2 mistakes\n {2}inspect belongs to the second argument: createSupervisor\(options, \{ inspect \}\)\n {2}takeSignals belongs/,
    );
  });

  it('leaves nothing running and nothing on disk when it is refused', () => {
    const runDir = directory();
    expect(() =>
      createSupervisor(
        { command: 'sleep', args: ['1000'], name: 'never', runDir, logLevel: 'silent' },
        // @ts-expect-error: no effect has that name.
        { provide: () => ({ forc: fromCallback(() => undefined) }) },
      ),
    ).toThrow(/forc/);
    expect(existsSync(join(runDir, 'never.pid'))).toBe(false);
    expect(process.listenerCount('SIGUSR2')).toBe(0);
  });
});
