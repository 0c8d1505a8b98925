// The same daemon in TypeScript: `node test/examples/ticker.ts` where Node runs it (22.18 or later). Each value has
// the type that its declaration says, and a name that was not declared does not compile.
import { setTimeout as pause } from 'node:timers/promises';
import { defineDaemon, type Worker } from 'tanist';

const tick = async (worker: Worker, everyMs: number, word: string): Promise<void> => {
  for (let count = 1; !worker.signal.aborted; count += 1) {
    console.log(`${word} ${count} of generation ${worker.generation}`);
    await pause(everyMs, undefined, { signal: worker.signal });
  }
};

const daemon = defineDaemon({
  name: 'ticker',
  documentation: 'Prints a tick.',
  options: {
    every: { type: 'duration', default: '1s', documentation: 'time between ticks' },
    word: { type: 'string', default: 'tick', documentation: 'what to print' },
  },
  canDoHotReload: true,
  handoff: 'exclusive',
  async supervisedProcess(worker, options) {
    await worker.readyToTakeOver();
    await tick(worker, options.every, options.word);
  },
  supervisedShutdown(worker) {
    console.log(`generation ${worker.generation} ends`);
  },
});

process.exitCode = await daemon.run(process.argv.slice(2));
