/**
 * The memory of a worker that serves, where there is a limit.
 */
import { enqueueActions } from 'xstate';
import { DEFAULTS } from '../policy.js';
import { pidOf } from './context.js';
import { withWatch } from './watch-actions.js';

export const withMemory = withWatch.extend({
  actions: {
    measure: enqueueActions(({ context, enqueue }) => {
      if (context.settings.maxMemoryBytes === null) return;
      enqueue.spawnChild('memory', {
        id: 'memory',
        input: { pid: pidOf(context), intervalMs: DEFAULTS.memoryIntervalMs },
      });
    }),
    stopMeasuring: enqueueActions(({ context, enqueue }) => {
      if (context.settings.maxMemoryBytes !== null) enqueue.stopChild('memory');
    }),
  },
});
