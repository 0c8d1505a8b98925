/**
 * The watchdog: a worker that has pinged once must go on saying something.
 */
import { assign, enqueueActions, sendTo } from 'xstate';
import { atMsOf } from '../report.js';
import { withGuards } from './setup.js';

export const withWatch = withGuards.extend({
  actions: {
    /** One alarm at a time: when it fires it is set again for what is left, instead of at every word. */
    watch: enqueueActions(({ context, event, enqueue }) => {
      const { watchdogMs } = context.settings;
      if (watchdogMs === null || context.pingedAtMs !== null) return;
      enqueue.assign({ pingedAtMs: atMsOf(event) });
      enqueue.spawnChild('alarm', { id: 'watchdogAlarm', input: { alarm: 'watchdog', delayMs: watchdogMs } });
    }),
    watchOn: enqueueActions(({ context, event, enqueue }) => {
      const delayMs = (context.pingedAtMs ?? 0) + (context.settings.watchdogMs ?? 0) - atMsOf(event);
      enqueue.stopChild('watchdogAlarm');
      enqueue.spawnChild('alarm', { id: 'watchdogAlarm', input: { alarm: 'watchdog', delayMs } });
    }),
    watchAnew: enqueueActions(({ context, event, enqueue }) => {
      const delayMs = context.settings.watchdogMs ?? 0;
      enqueue.assign({ pingedAtMs: atMsOf(event) });
      enqueue.stopChild('watchdogAlarm');
      enqueue.spawnChild('alarm', { id: 'watchdogAlarm', input: { alarm: 'watchdog', delayMs } });
    }),
    look: sendTo('channel', { type: 'channel.look' }),
    stopWatching: enqueueActions(({ context, enqueue }) => {
      if (context.pingedAtMs !== null) enqueue.stopChild('watchdogAlarm');
    }),
    setSilentCause: assign(({ context }) => ({
      cause: `it has been silent for ${(context.settings.watchdogMs ?? 0) / 1_000} s after it had pinged`,
    })),
  },
});
