#!/usr/bin/env node
/**
 * The entry point: a file so small that it runs within milliseconds of the start.
 *
 * Signal handlers come first, before anything is loaded: from here on no signal is lost, and none kills.
 */
import { loadBundle } from '../bundle.js';
import { holdSignals } from '../os/held-signals.js';

holdSignals(process.argv[2] === 'run');

// Not import(): loading CommonJS through Node's module loader costs 20 ms and 2 MB more.
const { main } = loadBundle<typeof import('./program.js')>('./program.js', import.meta.url);
main(process.argv.slice(2));
