#!/usr/bin/env node
/**
 * The entry point: the only file that exits or prints.
 *
 * Signal handlers come first, before anything is loaded: from here on no signal is lost, and none kills.
 */
import { holdSignals } from '../os/held-signals.js';

holdSignals(process.argv[2] === 'run');

const { main } = await import('./program.js');
await main(process.argv.slice(2));
