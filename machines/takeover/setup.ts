/**
 * The vocabulary of the successor's part: types, effects and guards.
 */
import { setup } from 'xstate';
import { alarm, predecessor } from '../contracts.js';
import type { AlarmName, TakeoverEvent } from '../events.js';
import { startsAfterGrant } from '../policy.js';
import type { TakeoverContext, TakeoverInput } from './context.js';

export const withGuards = setup({
  types: {} as { context: TakeoverContext; events: TakeoverEvent; input: TakeoverInput },
  actors: { alarm, predecessor },
  guards: {
    isAlarm: ({ event }, params: { alarm: AlarmName }) =>
      event.type === 'alarm.fired' && event.alarm === params.alarm,
    isExclusive: ({ context }) => context.settings.handoff === 'exclusive',
    startsAfterGrant: ({ context }) => startsAfterGrant(context.settings) && !context.ready,
    hasProbation: ({ context }) => context.settings.probationMs > 0,
    isHealthy: ({ context }) => context.healthy,
    foundHealthy: ({ event }) => event.type === 'slots.checked' && event.healthy,
    isDecided: ({ context }) => context.decided,
    isDead: ({ context }) => context.dead,
    isStopping: ({ context }) => context.stopping,
    mustBeMourned: ({ context }) => context.settings.handoff === 'exclusive' && !context.departed,
    noneRemain: ({ event }) => event.type === 'leftovers.counted' && event.remaining === 0,
  },
});
