import type { EventObject } from 'xstate';
import type { HealthInput } from '../../machines/contracts.js';
import type { HealthFact } from '../../machines/events.js';
import type { Env } from '../os/env.js';
import { effect } from './effect.js';
import { isWell, probePath, wordsOf } from './probe.js';

/** Asks a worker on its own socket once: 2xx and 3xx are good answers. */
export const createHealth = (env: Env, base: string) =>
  effect<HealthInput, EventObject, HealthFact>(env, ({ input, report, ended }) => {
    const { pid, path, timeoutMs } = input;
    const startedAtMs = env.now();
    env.get(probePath(base, input), path, timeoutMs).then((answer) => {
      if (ended()) return;
      const tookMs = env.now() - startedAtMs;
      if (isWell(answer)) report({ type: 'health.passed', pid, tookMs });
      else {
        const status = typeof answer === 'number' ? answer : null;
        report({ type: 'health.failed', pid, status, detail: wordsOf(answer), tookMs });
      }
    });
    return undefined;
  });
