#!/usr/bin/env node
/**
 * The entry point: a file so small that it runs within milliseconds of the start.
 *
 * Signal handlers come first, before anything is loaded: from here on no signal is lost, and none kills.
 */
import { loadBundle } from '../bundle.js';
import { holdSignals } from '../os/held-signals.js';

const [, , ...argv] = process.argv;
const [command = ''] = argv;
holdSignals(command === 'run');

/** What needs supervisor or machines; everything else is a client of one that runs, or a mistake. */
const IN_PROGRAM: readonly string[] = ['run', 'restart', 'replay'];
// Not import(): loading CommonJS through Node's module loader costs 20 ms and 2 MB more.
const { main } = IN_PROGRAM.includes(command)
  ? loadBundle<typeof import('./program.js')>('./program.js', import.meta.url)
  : loadBundle<typeof import('./client.js')>('./client.js', import.meta.url);
main(argv);
