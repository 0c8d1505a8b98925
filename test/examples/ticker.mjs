// A daemon: `node test/examples/ticker.mjs --every 500ms`, then `tanist status --name ticker`, `tanist reload --name
// ticker`, `tanist stop --name ticker`.
import { setTimeout as pause } from 'node:timers/promises';
import { defineDaemon } from 'tanist';

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
    // Initialise here: the generation before this one still ticks.
    await worker.readyToTakeOver();
    // From here on no other ticker does.
    for (let count = 1; !worker.signal.aborted; count += 1) {
      console.log(`${options.word} ${count} of generation ${worker.generation}`);
      worker.status(`${count} ticks`);
      await pause(options.every, undefined, { signal: worker.signal });
    }
  },
  async supervisedShutdown(worker) {
    console.log(`generation ${worker.generation} ends`);
  },
});

process.exitCode = await daemon.run(process.argv.slice(2));
