/**
 * A way through a product in words.
 */
import type { PlaceInfo } from './processes.js';
import type { Product } from './product.js';
import type { Searched, Violation } from './search.js';
import { WORKER_WORDS, workerAt } from './workers.js';
import { HUNG, LIFE_WORDS, leftText, type Side, type World, wordsOf } from './world.js';

const sideText = (product: Product, side: Side): string => {
  const { workers } = product.options.service;
  const processes = Array.from({ length: workers }, (_, slot) => WORKER_WORDS[workerAt(side.workers, slot)]);
  const info: PlaceInfo | null =
    side.runs || side.life === HUNG ? product.kernel.processes.at(side.place) : null;
  const waiting = wordsOf(side.words);
  return [
    LIFE_WORDS[side.life],
    info === null ? '' : `${info.state}${info.linkState === '' ? '' : ` (${info.link} ${info.linkState})`}`,
    `workers ${processes.join('/')}`,
    waiting.length === 0 ? '' : `to be read: ${waiting.join(', ')}`,
  ]
    .filter((text) => text !== '')
    .join('; ');
};

const PIDS = ['nobody', 'P', 'S'] as const;

export const worldText = (product: Product, world: World): string =>
  [
    `      P ${sideText(product, world.p)}`,
    `      S ${sideText(product, world.s)}`,
    `      token ${world.token === 0 ? 'there' : 'taken'}, pid file names ${PIDS[world.pid]}`,
  ].join('\n');

export const violationText = (product: Product, { problem, trace }: Violation): string => {
  const last = trace[trace.length - 1];
  return [
    `${problem} (after ${trace.length - 1} steps)`,
    ...trace.map(({ name }, step) => `  ${String(step).padStart(2)}  ${name}`),
    ...(last === undefined
      ? []
      : [worldText(product, last.world), `      faults left: ${leftText(last.world) || 'none'}`]),
  ].join('\n');
};

export const searchedText = (name: string, { states, edges, ms, megabytes, places }: Searched): string =>
  `${name}: ${states} states, ${edges} edges, ${places} places of a supervisor, ${Math.round(ms)} ms, ${megabytes} MB`;
