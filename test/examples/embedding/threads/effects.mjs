// The effects `fork`, `channel` and `kill` for workers that are threads.
//
// What each takes and reports is the contract in machines/contracts.ts. `effect()` stamps facts with their time, and
// ignores those of an effect that has ended.
import { Worker } from 'node:worker_threads';
import { effect } from 'tanist/actors';

/** No process has such a number (Linux: at most 4,194,304), so that nobody takes a thread for one. */
const FIRST_NUMBER = 10_000_000;

/** For `provide` of createSupervisor(): workers are threads that run the program. */
export const threadEffects =
  (program) =>
  ({ env }) => {
    /** Threads that live, by the number that stands for a pid and for a channel. */
    const threads = new Map();

    /** Starts one thread and waits for its end. */
    const fork = effect(env, ({ input, report }) => {
      const { slot, generation, inheritance } = input;
      let thread;
      try {
        thread = new Worker(program, { workerData: { slot, generation } });
      } catch ({ code = 'THREAD_FAILED', message }) {
        report({ type: 'spawn.failed', slot, generation, code, message });
        return undefined;
      }
      const pid = FIRST_NUMBER + thread.threadId;
      threads.set(pid, { thread, listeners: inheritance.listeners });
      thread.once('error', (error) => console.error(`thread ${pid}: ${error.stack}`));
      thread.once('exit', (code) => {
        threads.delete(pid);
        report({ type: 'worker.exited', slot, generation, pid, code, signal: null });
      });
      // In this turn: the channel is read from then on, and no word of the thread is missed.
      report({ type: 'worker.spawned', slot, generation, pid, startTime: null, channel: pid });
      return undefined;
    });

    /** Hears what a thread says, and answers it. */
    const channel = effect(env, ({ input, report, onOrder }) => {
      const known = threads.get(input.channel);
      if (known === undefined) return undefined;
      const { thread, listeners } = known;
      const hear = (message) => {
        if (message === 'takeover') report({ type: 'takeover.said', channel: input.channel });
      };
      thread.on('message', hear);
      onOrder((order) => {
        // A server closes its descriptor: each thread gets one of its own.
        if (order.type === 'channel.ok')
          thread.postMessage({ serve: listeners.map(({ descriptor }) => env.duplicate(descriptor)) });
        // All that a thread has said is heard at once: there is nothing to be read first.
        if (order.type === 'channel.look') report({ type: 'channel.read', channel: input.channel });
      });
      return () => thread.off('message', hear);
    });

    /** Asks a thread to leave, or ends it. */
    const kill = effect(env, ({ input, report }) => {
      const { pid, signal } = input;
      const known = threads.get(pid);
      if (known === undefined) {
        report({ type: 'signal.withheld', pid, signal, detail: 'the thread is gone' });
        return undefined;
      }
      if (signal === 'SIGKILL') known.thread.terminate();
      else known.thread.postMessage({ leave: true });
      report({ type: 'signal.sent', pid, signal });
      return undefined;
    });
    return { fork, channel, kill };
  };
