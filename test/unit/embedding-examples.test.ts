import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, fromCallback, initialTransition, transition } from 'xstate';

describe('the statechart of the example with regions of its own', async () => {
  const { machine } = (await import(
    new URL('../examples/embedding/window/machine.mjs', import.meta.url).href
  )) as { machine: AnyStateMachine };
  const pure = machine.provide({
    actors: Object.fromEntries(
      ['supervisor', 'clock', 'releases'].map((name) => [name, fromCallback(() => undefined)]),
    ),
  });
  const [start] = initialTransition(pure);
  /** The state behind those events, and whether the last one orders a reload. */
  const behind = (...types: readonly string[]) => {
    let snapshot = start;
    let orders = false;
    for (const type of types) {
      const verdict = { outcome: 'refused' };
      const [next, effects] = transition(pure, snapshot, { type, verdict, failure: null });
      snapshot = next;
      orders = effects.some(
        ({ type: effect, params }) =>
          effect === 'xstate.sendTo' &&
          (params as { event: { type: string } }).event.type === 'supervisor.reload',
      );
    }
    return { value: snapshot.value, status: snapshot.status, orders };
  };
  const both = (window: string, release: string) => ({ working: { window, release } });

  it('orders a reload in the window only, and keeps a release in mind until it is open', () => {
    expect(behind('release.changed')).toMatchObject({ value: both('closed', 'waiting'), orders: false });
    expect(behind('release.changed', 'window.opened')).toMatchObject({
      value: both('open', 'deploying'),
      orders: true,
    });
    expect(behind('window.opened', 'release.changed')).toMatchObject({ orders: true });
    expect(behind('window.opened', 'window.closed', 'release.changed')).toMatchObject({ orders: false });
  });

  it('tries a refused release no more, and a newer one again', () => {
    const refused = ['window.opened', 'release.changed', 'supervisor.reloaded'];
    expect(behind(...refused)).toMatchObject({ value: both('open', 'refused'), orders: false });
    expect(behind(...refused, 'release.changed')).toMatchObject({ orders: true });
    const meanwhile = ['window.opened', 'release.changed', 'release.changed', 'supervisor.reloaded'];
    expect(behind(...meanwhile)).toMatchObject({ value: both('open', 'deploying'), orders: true });
  });

  it('ends with the supervisor', () => {
    expect(behind('supervisor.ended')).toMatchObject({ value: 'ended', status: 'done' });
  });
});

describe('the examples', () => {
  it('say in their first line what they show, and how they are run', () => {
    for (const name of ['host.mjs', 'chat.mjs', 'guest.mjs', 'threads/main.mjs', 'window/main.mjs']) {
      const text = readFileSync(new URL(`../examples/embedding/${name}`, import.meta.url), 'utf8');
      expect(text, name).toMatch(/^\/\/ \w/);
      expect(text, name).toContain(`node test/examples/embedding/${name}`);
    }
  });
});
