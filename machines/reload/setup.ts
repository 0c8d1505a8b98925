/**
 * The vocabulary of the predecessor's part: types, effects and guards.
 */
import { setup } from 'xstate';
import { alarm, successor } from '../contracts.js';
import type { AlarmName, ReloadEvent } from '../events.js';
import { isSuccessor, type ReloadContext, type ReloadInput } from './context.js';

export const withGuards = setup({
  types: {} as { context: ReloadContext; events: ReloadEvent; input: ReloadInput },
  actors: { alarm, successor },
  guards: {
    isSuccessor,
    /** It ended in order: nobody does without being told to. */
    hasStopped: (args) =>
      isSuccessor(args) && args.event.type === 'successor.exited' && args.event.code === 0,
    isAlarm: ({ event }, params: { alarm: AlarmName }) =>
      event.type === 'alarm.fired' && event.alarm === params.alarm,
    isAborted: ({ context }) => context.failure !== null,
    hasSuccessor: ({ context }) => context.successor !== null,
    isExclusive: ({ context }) => context.settings.handoff === 'exclusive',
    isOverlap: ({ context }) => context.settings.handoff === 'overlap',
    hasDeparted: ({ context }) => context.departed,
    isStopping: ({ context }) => context.stopping,
    hasNotServed: ({ context }) => !context.served,
    mustBeMourned: ({ context }) =>
      context.settings.handoff === 'exclusive' || (context.committed && context.stopping),
    endsInStop: ({ context }) => context.committed && context.stopping,
    noneRemain: ({ event }) => event.type === 'leftovers.counted' && event.remaining === 0,
  },
});
