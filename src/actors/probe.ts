import type { EventObject } from 'xstate';
import type { ProbeInput } from '../../machines/contracts.js';
import type { Place, ProbeFact } from '../../machines/events.js';
import type { Dispose, Env } from '../os/env.js';
import { effect } from './effect.js';

/** Between two tries: a worker that is nearly ready is asked again soon. */
const PROBE_INTERVAL_MS = 50;
/** One try; the start timeout bounds all of them. */
const PROBE_TIMEOUT_MS = 2_000;

/**
 * The path of one worker's private probe socket: short, since it has to fit where the control socket's does. It is removed
 * when it has answered well: nobody asks again.
 */
export const probePath = (
  base: string,
  { generation, place }: { readonly generation: number; readonly place: Place },
): string => `${base}.probe-${generation}-${place}`;

export const isWell = (answer: number | string): boolean =>
  typeof answer === 'number' && answer >= 200 && answer < 400;

export const wordsOf = (answer: number | string): string =>
  typeof answer === 'number' ? `it answered ${answer}` : answer;

/** Asks a worker on its own socket until it answers 2xx or 3xx. */
export const createProbe = (env: Env, base: string) =>
  effect<ProbeInput, EventObject, ProbeFact>(env, ({ input, report, ended }) => {
    const { pid, path } = input;
    const socket = probePath(base, input);
    let dispose: Dispose = () => {
      // Nothing is armed while a try is under way.
    };
    const ask = async () => {
      const answer = await env.get(socket, path, PROBE_TIMEOUT_MS);
      if (ended()) return;
      if (isWell(answer)) {
        if (!input.kept) env.unlink(socket);
        report({ type: 'probe.passed', pid });
        return;
      }
      report({ type: 'probe.failed', pid, detail: wordsOf(answer) });
      dispose = env.setTimer(ask, PROBE_INTERVAL_MS);
    };
    ask();
    return () => dispose();
  });
