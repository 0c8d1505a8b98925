import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type ActorOptions,
  type AnyStateMachine,
  type EventObject,
  fromCallback,
  sendTo,
  setup,
} from 'xstate';
import type { ForkInput } from '../../machines/contracts.js';
import type { ReloadReason, ReloadVerdict, Status } from '../../machines/status.js';
import {
  type Embedding,
  fromSupervisor,
  type Subscription,
  type Supervisor,
  type SupervisorFact,
  type SupervisorOrder,
} from '../../src/index.js';

describe('the types of an embedded supervisor', () => {
  it('say what each event has', () => {
    const check = (supervisor: Supervisor) => {
      supervisor.on('worker.exited', (event) => {
        expectTypeOf(event.pid).toEqualTypeOf<number>();
        expectTypeOf(event.signal).toEqualTypeOf<string | null>();
        // @ts-expect-error: an exit has no boot time.
        event.bootMs;
      });
      supervisor.on('reload.refused', ({ reason, outcome }) => {
        expectTypeOf(reason).toEqualTypeOf<ReloadReason>();
        expectTypeOf(outcome).toEqualTypeOf<'refused' | 'rolled-back'>();
      });
      supervisor.on('*', (event) => {
        if (event.type === 'worker.ready') expectTypeOf(event.bootMs).toEqualTypeOf<number>();
      });
      supervisor.subscribe((status) => expectTypeOf(status).toEqualTypeOf<Status>());
      expectTypeOf(supervisor.on('*', () => undefined)).toEqualTypeOf<Subscription>();
    };
    expectTypeOf(check).parameter(0).toEqualTypeOf<Supervisor>();
  });

  it('take whatever XState takes as an inspector', () => {
    type Inspect = NonNullable<ActorOptions<AnyStateMachine>['inspect']>;
    expectTypeOf<Inspect>().toExtend<NonNullable<Embedding['inspect']>>();
    const { inspect } = {} as ReturnType<typeof import('@statelyai/inspect')['createWebSocketInspector']>;
    expectTypeOf(inspect).toExtend<NonNullable<Embedding['inspect']>>();
  });

  it('say what an effect of one’s own gets, and refuse what is none', () => {
    const embedding: Embedding = {
      provide: ({ env, effects }) => {
        expectTypeOf(env.duplicate).returns.toEqualTypeOf<number>();
        return {
          alarm: effects.alarm,
          fork: fromCallback<EventObject, ForkInput>(({ input }) => {
            expectTypeOf(input.slot).toEqualTypeOf<number>();
          }),
        };
      },
    };
    // @ts-expect-error: no effect has that name.
    const misspelt: Embedding = { provide: () => ({ forks: fromCallback(() => undefined) }) };
    // @ts-expect-error: the input is that of another effect.
    const wrong: Embedding = { provide: ({ effects }) => ({ fork: effects.channel }) };
    expect([embedding, misspelt, wrong].every(({ provide }) => provide !== undefined)).toBe(true);
  });

  it('make a supervisor an actor of a machine that knows its facts', () => {
    const around = () =>
      setup({
        types: { events: {} as SupervisorFact | { type: 'window.opened' } },
        actors: { supervisor: fromSupervisor({ command: 'sleep' }) },
      }).createMachine({
        invoke: { id: 'supervisor', src: 'supervisor' },
        on: {
          'window.opened': { actions: sendTo('supervisor', { type: 'supervisor.reload' }) },
          'worker.exited': { actions: ({ event }) => expectTypeOf(event.pid).toEqualTypeOf<number>() },
          'supervisor.reloaded': {
            actions: ({ event }) => expectTypeOf(event.verdict).toEqualTypeOf<ReloadVerdict>(),
          },
        },
      });
    expectTypeOf(around).toBeFunction();
    expectTypeOf<{ type: 'supervisor.scale'; workers: number }>().toExtend<SupervisorOrder>();
  });
});
