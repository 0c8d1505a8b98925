import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Generations, workerPids } from './generations.js';
import { root, until } from './harness.js';
import { Load } from './load.js';

const example = (name: string): string => join(root, 'test/examples', name);

/** Answers of a generation before the next one is asked for. */
const ANSWERS = 25;

let world: Generations;

beforeEach(() => {
  world = new Generations();
});

afterEach(() => world.dispose());

describe.each([
  ['worker.pl', ['perl', example('worker.pl')]],
  ['worker.py', ['python3', example('worker.py')]],
])('the example %s', (_, command) => {
  it('is replaced under load without a failed request', async () => {
    const { daemon, address } = await world.started({ command, options: ['--workers', '2'] });
    const load = new Load(address);
    await until('answers of generation 1', () => load.answersOf(1) >= ANSWERS);
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 2 });
    await daemon.settled(2);
    await until('answers of generation 2', () => load.answersOf(2) >= ANSWERS);
    expect((await load.stop()).failures).toEqual([]);
  });
});

describe('the example worker.sh', () => {
  it('does every job once, with several workers, across a reload', async () => {
    const spool = world.path('spool');
    mkdirSync(spool);
    const start = { mode: 'exclusive', listen: false, options: ['--workers', '2'] } as const;
    const { daemon, status } = await world.started({
      ...start,
      command: ['sh', example('worker.sh'), spool],
    });
    const put = (name: string): void => {
      writeFileSync(join(spool, 'new'), `${name}\n`);
      renameSync(join(spool, 'new'), join(spool, `${name}.job`));
    };
    const names = Array.from({ length: 60 }, (__, index) => `job-${index}`);
    const done = () => readdirSync(spool).filter((name) => name.endsWith('.done'));
    for (const name of names.slice(0, 20)) put(name);
    await until('the first jobs', () => done().length === 20);
    for (const name of names.slice(20, 40)) put(name);
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 2 });
    for (const name of names.slice(40)) put(name);
    await daemon.settled(2);
    await until('all jobs', () => readdirSync(spool).every((name) => name.endsWith('.done')));

    const texts = names.map((name) => readFileSync(join(spool, `${name}.done`), 'utf8'));
    expect(texts.map((text) => text.split('\n')[0])).toEqual(names.map((name) => name.toUpperCase()));
    const generations = texts.map((text) => text.split('\n')[1]);
    expect(new Set(generations)).toEqual(new Set(['1', '2']));
    expect(done()).toHaveLength(names.length);
    // The old workers said so when they had finished, and none of them had to be killed.
    for (const pid of workerPids(status))
      expect(daemon.stdout()).toContain(`worker ${pid} has finished what it had in hand`);
  });
});
