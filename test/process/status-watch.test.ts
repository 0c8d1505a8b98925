import { expect, it, onTestFinished } from 'vitest';
import type { Status } from '../../machines/status.js';
import { Generations } from './generations.js';
import type { World } from './harness.js';
import { BEGIN, END, ESC, Screen, Watcher } from './watchers.js';
import { GOOD, newWorld, perl } from './workers.js';

const watchPiped = (world: World, ...options: string[]) =>
  new Watcher(world, ['status', '--watch', ...options]);
const watchOn = (world: World, ...options: string[]) => new Screen(world, ['status', '--watch', ...options]);

const line = (pattern: RegExp) => (lines: readonly string[]) => lines.some((one) => pattern.test(one));

it('shows one live table through a reload, a stop and a new start, and gives the terminal back at Ctrl-C', async () => {
  const world = newWorld();
  const daemon = world.run(perl(...GOOD));
  await daemon.running();
  const screen = watchOn(world, '--name', 'perl');
  await screen.shows('the table', line(/^perl: running, generation 1, /));
  expect((await world.tanist('reload')).status).toBe(0);
  const second = await daemon.settled(2);
  await screen.shows('the reload', line(new RegExp(`^perl: running, generation 2, pid ${second.pid}, `)));
  expect((await world.tanist('stop')).status).toBe(0);
  await screen.shows('the end', line(/^perl is not running /));
  const again = world.run(perl(...GOOD));
  await screen.shows('the new start', line(new RegExp(`^perl: running, generation 1, pid ${again.pid}, `)));

  screen.tell(String.raw`key \x03`);
  expect(await screen.end()).toBe(0);
  const [before, after] = [screen.output.indexOf(BEGIN), screen.output.lastIndexOf(END)];
  // The other page, no cursor, no wrapping; and all of it back, with the last picture left to read.
  expect(screen.output.slice(0, before)).toBe(`${ESC}[?1049h${ESC}[?25l${ESC}[?7l`);
  expect(screen.output.slice(after + END.length)).toMatch(
    new RegExp(`^(\\^C)?${ESC}\\[\\?7h${ESC}\\[\\?25h${ESC}\\[\\?1049lperl: running, generation 1, `),
  );
  // In between nothing was ever blank: lines are overwritten, and only their rest is erased.
  expect(screen.output).not.toContain(`${ESC}[2J`);
});

it('shows a reload while it is under way', async () => {
  const world = new Generations();
  onTestFinished(() => world.dispose());
  const { daemon } = await world.started();
  const screen = watchOn(world);
  await screen.shows('the table', line(/^service: running, /));
  const gate = world.path('gate');
  world.release({ gate });
  const reload = world.tanist('reload');
  await screen.shows('the reload', line(/^reload under way: warming for \d+s, successor pid \d+$/));
  world.open(gate);
  expect((await reload).status).toBe(0);
  await daemon.settled(2);
  await screen.shows(
    'its end',
    (lines) => line(/^last reload: generation 2 promoted /)(lines) && !line(/under way/)(lines),
  );
});

it('fits into the terminal, also when it becomes another', async () => {
  const world = newWorld();
  const daemon = world.run(['--workers', '12', ...perl(...GOOD)]);
  await daemon.running();
  const screen = watchOn(world);
  await screen.shows('all of it', (lines) => lines.length === 15 && line(/^ {2}12 /)(lines));
  screen.tell('size 8 40');
  expect((await screen.shows('a part of it', (lines) => lines.length === 8)).at(-1)).toBe('… 8 more lines');
  screen.tell('size 30 100');
  await screen.shows('all of it again', (lines) => lines.length === 15);
});

it('shows a supervisor that hangs, and goes on', async () => {
  const world = newWorld();
  const daemon = world.run(perl(...GOOD));
  await daemon.running();
  const screen = watchOn(world);
  await screen.shows('the table', line(/^perl: running, /));
  process.kill(daemon.pid, 'SIGSTOP');
  await screen.shows('that it hangs', line(/^perl does not answer$/));
  process.kill(daemon.pid, 'SIGCONT');
  await screen.shows('the table again', line(/^perl: running, /));
});

it('prints a new table only when something has changed where there is no terminal', async () => {
  const world = newWorld();
  const watcher = watchPiped(world);
  await watcher.says('that nothing runs', () =>
    watcher.output.includes(`nothing is running in "${world.directory}"`),
  );
  const daemon = world.run(perl(...GOOD));
  const { workers } = await daemon.running();
  await watcher.says('the table', () => watcher.output.includes(` ${workers[0]?.pid} `));
  process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
  await watcher.says('the death', () => /SIGKILL/.test(watcher.output));
  watcher.child.kill('SIGTERM');
  expect(await watcher.end()).toBe(0);
  const tables = watcher.output.split(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/m).slice(1);
  // Ages apart, which grow by themselves, each differs from the one before.
  const plain = tables.map((table) => table.replace(/\b\d+s\b/g, 'AGE'));
  expect(plain.length).toBeGreaterThanOrEqual(3);
  for (const [index, table] of plain.entries()) expect(table).not.toBe(plain[index + 1]);
  expect(watcher.output).not.toContain(ESC);
});

it('with --json writes one object a line for every change, of all supervisors', async () => {
  const world = newWorld();
  const watcher = watchPiped(world, '--json');
  const objects = () =>
    watcher.output
      .split('\n')
      .slice(0, -1)
      .map((text) => JSON.parse(text) as Partial<Status> & { error?: { code: string }; daemons?: Status[] });
  await watcher.says('that nothing runs', () => objects().at(-1)?.error?.code === 'TANIST_NOT_RUNNING');
  const one = world.run(['--name', 'one', ...perl(...GOOD)]);
  await watcher.says('the first', () => objects().at(-1)?.state === 'running');
  expect(objects().at(-1)).toEqual(await one.running());
  world.run(['--name', 'two', ...perl(...GOOD)]);
  await watcher.says('both', () =>
    objects()
      .at(-1)
      ?.daemons?.every(({ state }) => state === 'running'),
  );
  const texts = watcher.output.split('\n');
  for (const [index, text] of texts.entries()) expect(text).not.toBe(texts[index + 1]);
});

it('ends when nobody reads any more', async () => {
  const world = newWorld();
  const watcher = watchPiped(world);
  await watcher.says('that nothing runs', () => watcher.output.includes('nothing is running'));
  watcher.child.stdout?.destroy();
  const daemon = world.run(perl(...GOOD));
  await daemon.running();
  expect(await watcher.end()).toBe(0);
});
