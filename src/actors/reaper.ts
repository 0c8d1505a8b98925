import type { EventObject } from 'xstate';
import type { ReaperFact, ReaperInput } from '../../machines/anchor.js';
import type { Dispose, Env } from '../os/env.js';
import { effect } from './effect.js';

/** The process to which the kernel gives every orphan of its pid namespace. */
const INIT_PID = 1;

/**
 * Reaps what nobody else in this process will: orphans that the kernel gave to it.
 *
 * There are some where it is process 1, and where whoever started it made it their reaper or left it children.
 * The kernel tells of each by SIGCHLD, of one that was dead when it became ours too, so nothing is polled.
 */
export const createReaper = (env: Env) =>
  effect<ReaperInput, EventObject, ReaperFact>(env, ({ report }) => {
    let failed = false;
    const fail = (message: string) => {
      if (!failed) report({ type: 'reaping.failed', message });
      failed = true;
    };
    let stopLooking: Dispose = () => {
      // Nobody looks.
    };
    const reap = (pid: number) => {
      const problem = env.reapOrphan(pid);
      if (problem === null) report({ type: 'orphan.reaped', pid });
      else fail(problem);
    };
    const look = () => {
      const seen = env.orphans();
      if (seen.length === 0) return;
      // Whatever the event loop waits for, children of other code in this process included, it has reaped once
      // it has seen the signal: what is still there after that nobody waits for.
      stopLooking();
      stopLooking = env.afterPoll(() => {
        const still = env.orphans().filter((pid) => seen.includes(pid));
        for (const pid of still) reap(pid);
        // Some may have come since, and their signal with them; more of the same have not.
        if (!failed && still.length > 0) look();
      });
    };
    const stopListening = env.onSignal('SIGCHLD', () => {
      stopLooking();
      stopLooking = env.afterPoll(look);
    });
    const obstacle = env.pid === INIT_PID ? env.reapingObstacle() : null;
    if (obstacle !== null) fail(obstacle);
    look();
    return () => {
      stopListening();
      stopLooking();
    };
  });
