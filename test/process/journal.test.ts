import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JournalEntry } from '../../src/journal/entry.js';
import { readJournal } from '../../src/os/journal-reader.js';
import { EventListener } from './events.js';
import { Generations, MODES, workerPid } from './generations.js';
import { until, type World } from './harness.js';
import { replayed } from './journals.js';
import { GOOD, limitFileSize, newWorld, perl, said } from './workers.js';

const newGenerations = (): Generations => {
  const world = new Generations();
  onTestFinished(() => world.dispose());
  return world;
};

const entriesIn = (path: string): readonly JournalEntry[] =>
  [...readJournal(path)].flatMap(({ entry }) => entry ?? []);

const listener = (world: World, name: string, query = ''): EventListener => {
  const made = new EventListener(world.path(`${name}.sock`), query);
  onTestFinished(() => made.close());
  return made;
};

/** A journal with a crash, a reload that is promoted and one that is refused. */
const eventful = async (world: Generations, mode: (typeof MODES)[number]): Promise<string> => {
  const { daemon, status } = await world.started({ mode, options: ['--journal', world.journalFile] });
  process.kill(workerPid(status), 'SIGKILL');
  await daemon.status('a worker in its place', ({ workers }) => workers[0]?.respawns === 1);
  await daemon.running();
  expect((await world.reload()).status).toBe(200);
  await daemon.settled(2);
  world.release({ boot: 'crash' });
  expect((await world.reload()).status).toBe(409);
  await daemon.settled(2);
  expect((await world.tanist('stop')).status).toBe(0);
  await world.empty();
  return world.journalFile;
};

describe('the journal of a daemon', () => {
  it.each(MODES)(
    'G10: replays without a difference through a crash, a reload and a refused one, %s',
    async (mode) => {
      const world = newGenerations();
      const path = await eventful(world, mode);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const { recordings, differences } = replayed(path);
      expect(differences).toEqual([]);
      expect(recordings.map(({ generation }) => generation)).toEqual([1, 2, 3]);
      expect(recordings.map(({ unknown, gaps }) => [unknown, gaps.length])).toEqual([
        [0, 0],
        [0, 0],
        [0, 0],
      ]);
      for (const { events } of recordings) expect(events).toBeGreaterThan(5);

      const { status, stdout } = await world.tanist('replay', path, '--json');
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ same: true, differences: [], cut: [] });
    },
  );

  it('that was changed is found by tanist replay, at the right number', async () => {
    const world = newGenerations();
    const path = await eventful(world, 'overlap');
    const entries = entriesIn(path);
    const refused = entries.find(({ event }) => event.type === 'reload.refused');
    const changed = world.path('changed');
    const rewrite = (change: (entry: JournalEntry) => JournalEntry) =>
      writeFileSync(changed, entries.map((entry) => `${JSON.stringify(change(entry))}\n`).join(''));
    rewrite((entry) => (entry === refused ? { ...entry, to: 'stopping' } : entry));
    const { status, stdout } = await world.tanist('replay', '--json', changed);
    expect(status).toBe(1);
    expect(JSON.parse(stdout).differences).toEqual([
      expect.objectContaining({
        seq: refused?.seq,
        actor: 'supervisor',
        event: 'reload.refused',
        what: 'state',
        expected: 'stopping',
        found: 'running',
      }),
    ]);
    const text = await world.tanist('replay', changed);
    expect(text.stdout).toContain(
      `seq ${refused?.seq}, generation 2, supervisor, reload.refused: another state\n    expected stopping\n    found    running`,
    );
  });

  it('is replayed up to an event, and shows the status of that moment', async () => {
    const world = newGenerations();
    const path = await eventful(world, 'overlap');
    const crash = entriesIn(path).find(
      ({ actor, event }) => actor === 'supervisor' && event.type === 'worker.exited',
    );
    const { stdout, status } = await world.tanist('replay', '--json', '--until', String(crash?.seq), path);
    expect(status).toBe(0);
    const { at, supervisors } = JSON.parse(stdout);
    expect(at).toMatchObject({ seq: crash?.seq, event: 'worker.exited' });
    expect(supervisors).toMatchObject([
      {
        generation: 1,
        status: { state: 'respawning', workers: [{ slot: 1, pid: null, state: 'backoff' }] },
        states: { supervisor: 'respawning', 'worker-1': 'backoff' },
      },
    ]);
    const text = await world.tanist('replay', path, '--until', String(crash?.seq));
    expect(text.stdout).toContain('slot 1: backoff, no process, 0 respawns');
    const none = await world.tanist('replay', path, '--until', '999999');
    expect([none.status, none.stderr]).toEqual([2, expect.stringContaining('no such event')]);
  });

  it('that is none ends with status 2, and says where', async () => {
    const world = newWorld();
    const path = world.path('other');
    writeFileSync(path, '\n{"seq":1,oops}\n');
    const bad = await world.tanist('replay', path);
    expect([bad.status, bad.stdout]).toEqual([2, '']);
    expect(bad.stderr).toContain('TANIST_JOURNAL_UNREADABLE: ');
    expect(bad.stderr).toContain('line 2, column 10: no JSON');
    writeFileSync(path, '');
    expect((await world.tanist('replay', path)).stderr).toContain('is empty');
    expect((await world.tanist('replay', world.path('gone'))).status).toBe(2);
    expect((await world.tanist('replay')).stderr).toContain('FILE is missing');
  });

  it('has no value of any environment variable', async () => {
    const world = newGenerations();
    const secrets = { SECRET_ONE: 'xyzzy-one', SECRET_TWO: 'xyzzy-two' };
    writeFileSync(world.path('env'), `SECRET_TWO=${secrets.SECRET_TWO}\n`);
    const { daemon } = await world.started({
      env: { SECRET_ONE: secrets.SECRET_ONE },
      options: ['--env-file', world.path('env')],
    });
    expect((await world.reload()).status).toBe(200);
    await daemon.settled(2);
    const text = readFileSync(world.journalFile, 'utf8');
    expect(text).toContain('reload.promoted');
    expect(text).not.toContain('xyzzy');
  });

  it('is moved away at any time: every file can be replayed by itself', async () => {
    const world = newGenerations();
    const { daemon } = await world.started();
    const path = world.journalFile;
    renameSync(path, world.path('first'));
    for (const respawns of [1, 2]) {
      const { workers } = await daemon.running();
      process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
      await daemon.status('another worker', (one) => one.workers[0]?.respawns === respawns);
    }
    expect((await world.reload()).status).toBe(200);
    await daemon.settled(2);
    const { recordings, differences } = replayed(path);
    expect(differences).toEqual([]);
    expect(recordings).toMatchObject([
      { generation: 1, snapshots: 2, unknown: 0 },
      { generation: 2, snapshots: 0, unknown: 0 },
    ]);
    const whole = replayed(world.path('first'), path);
    expect(whole.differences).toEqual([]);
    expect(whole.recordings[0]?.gaps).toEqual([]);
  });

  it('above its limit begins anew, with all that a replay needs', async () => {
    const world = newWorld();
    const path = world.path('x.journal');
    const flood = ['say takeover', `flood 10 status ${'x'.repeat(4_000)}\\n`, 'note flooded', 'rest'];
    const limit = ['--journal', path, '--journal-limit', '1MB', '--log-level', 'error'];
    const daemon = world.run(['--name', 'x', ...limit, ...perl(...flood)]);
    await said(daemon, 'flooded');
    await until('a second file', () => existsSync(`${path}.1`));
    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
    expect(statSync(`${path}.1`).size).toBeGreaterThan(1_000_000);
    expect(statSync(`${path}.1`).size).toBeLessThan(1_200_000);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const files of [[path], [`${path}.1`, path]]) {
      const { recordings, differences } = replayed(...files);
      expect(differences).toEqual([]);
      expect(recordings).toMatchObject([{ unknown: 0, gaps: [] }]);
    }
    expect((await world.tanist('replay', path)).status).toBe(0);
  });

  it('that cannot be written stops nobody: what is lost is counted and told, and a replay goes on behind it', async () => {
    const world = newWorld();
    const path = world.path('x.journal');
    const words = ['--journal', path, '--respawn', 'fixed', '--respawn-delay', '50ms', ...perl(...GOOD)];
    const daemon = world.run(words);
    const { pid, workers } = await daemon.running();
    const limit = limitFileSize(pid, statSync(path).size + 20);
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await daemon.line('journal.failed');
    const after = await daemon.status('another worker', (status) => status.workers[0]?.respawns === 1);
    await daemon.running();
    limitFileSize(pid, limit);
    process.kill(after.workers[0]?.pid ?? 0, 'SIGKILL');
    const { lost } = await daemon.line('journal.resumed');
    expect(lost).toBeGreaterThan(3);
    await daemon.running();
    expect((await world.tanist('stop')).status).toBe(0);
    const { recordings, differences } = replayed(path);
    expect(differences).toEqual([]);
    expect(recordings).toMatchObject([{ gaps: [{}], snapshots: 2 }]);
    const text = (await world.tanist('replay', path)).stdout;
    expect(text).toMatch(/between seq \d+ and \d+ lines are missing/);
  });

  it('is not touched by a start that finds the lock taken', async () => {
    const world = newWorld();
    const daemon = world.run(['--name', 'one', ...perl(...GOOD)]);
    await daemon.running();
    const before = readFileSync(world.journalFile, 'utf8');
    const second = world.run(['--name', 'one', '--workers', '2', ...perl(...GOOD)]);
    expect((await second.exit()).code).toBe(5);
    expect(readFileSync(world.journalFile, 'utf8')).toBe(before);
  });

  it('that cannot be opened is told before anything is started', async () => {
    const world = newWorld();
    const path = world.path('no/such/journal');
    const { status, stderr } = await world.tanist('run', '--journal', path, ...perl(...GOOD));
    expect(status).toBe(2);
    expect(stderr).toContain('TANIST_JOURNAL_FILE');
    expect(existsSync(world.path('perl.pid'))).toBe(false);
  });

  it('is none where none was asked for, and the status says so', async () => {
    const world = newWorld();
    const daemon = world.run(perl(...GOOD), { env: { TANIST_JOURNAL: '' } });
    expect((await daemon.running()).journal).toBeNull();
    expect(existsSync(world.journalFile)).toBe(false);
  });
});

describe('GET /events', () => {
  it('tells how things are and what happens, without a journal file', async () => {
    const world = newWorld();
    const daemon = world.run(['--name', 'x', ...perl(...GOOD)], { env: { TANIST_JOURNAL: '' } });
    const { workers } = await daemon.running();
    const events = listener(world, 'x');
    expect([await events.status(), events.contentType]).toEqual([200, 'text/event-stream']);
    await until('the snapshots', () => events.messages('snapshot').length === 2);
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await events.entry('worker.ready');
    expect(events.entries('snapshot').map(({ actor }) => actor)).toEqual(['supervisor', 'worker-1']);
    const told = events.entries();
    expect(told.map(({ seq }) => seq)).toEqual(told.map((_, index) => index + 1));
    expect(events.messages('message').map(({ id }) => id)).toEqual(told.map(({ seq }) => seq));
    // What was told can be replayed.
    const path = world.path('told');
    const all = [...events.entries('snapshot'), ...told];
    writeFileSync(path, all.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    expect(replayed(path)).toMatchObject({ differences: [], recordings: [{ unknown: 0, gaps: [] }] });
  });

  it('goes on behind an event, and tells a gap where that is not known any more', async () => {
    const world = newWorld();
    const daemon = world.run(['--name', 'x', ...perl(...GOOD)]);
    const { workers } = await daemon.running();
    const first = listener(world, 'x');
    await until('the snapshots', () => first.messages('snapshot').length === 2);
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await first.entry('worker.ready');
    const seqs = first.entries().map(({ seq }) => seq);
    first.close();
    const [from = 0] = seqs;
    const second = listener(world, 'x', `?since=${from}`);
    await until('the rest', () => second.entries().length === seqs.length - 1);
    expect(second.entries().map(({ seq }) => seq)).toEqual(seqs.slice(1));
    expect(second.messages('snapshot')).toEqual([]);
    const third = listener(world, 'x', `?since=${from - 2}`);
    await until('a gap', () => third.messages('gap').length === 1);
    await until('how things are', () => third.messages('snapshot').length === 2);
    expect(JSON.parse(third.messages('gap')[0]?.data ?? '')).toEqual({ since: from - 2, seq: seqs.at(-1) });
    expect(third.messages()[0]?.event).toBe('gap');
  });

  it('takes 16 listeners and refuses more; a number that is none is refused', async () => {
    const world = newWorld();
    await world.run(['--name', 'x', ...perl(...GOOD)]).running();
    const many = Array.from({ length: 16 }, () => listener(world, 'x'));
    for (const one of many) expect(await one.status()).toBe(200);
    expect(await listener(world, 'x').status()).toBe(429);
    many[0]?.close();
    await until('room again', async () => (await listener(world, 'x').status()) === 200);
    expect(await listener(world, 'x', '?since=-1').status()).toBe(400);
  });

  it('cuts off whoever does not read, and serves the others', async () => {
    const world = newWorld();
    const name = ['--name', 'x', '--log-level', 'error'];
    const gate = world.path('gate');
    const flood = ['say takeover', `await ${gate}`, `flood 20 status ${'x'.repeat(4_000)}\\n`, 'rest'];
    const daemon = world.run([...name, ...perl(...flood)], { env: { TANIST_JOURNAL: '' } });
    await daemon.running();
    const deaf = listener(world, 'x');
    await deaf.status();
    deaf.pause();
    const heard = listener(world, 'x');
    await heard.status();
    writeFileSync(gate, '');
    await until('more events than anybody may leave unread', () => heard.receivedChars > 8_000_000);
    deaf.resume();
    await until('the end of the deaf one', () => deaf.isClosed);
    expect(heard.isClosed).toBe(false);
  });

  it('ends with its generation, and the next one tells its own events', async () => {
    const world = newGenerations();
    const { daemon } = await world.started();
    const before = listener(world, 'service');
    await until('the snapshots', () => before.messages('snapshot').length === 2);
    expect((await world.reload()).status).toBe(200);
    await until('the end of the stream', () => before.isClosed);
    await before.entry('reload.promoted');
    await daemon.settled(2);
    const after = listener(world, 'service', `?since=${before.entries().at(-1)?.seq}`);
    await until('how things are', () => after.messages('snapshot').length === 2);
    expect(after.messages().map(({ event }) => event)).toEqual(['gap', 'snapshot', 'snapshot']);
    expect(after.entries('snapshot').map(({ generation }) => generation)).toEqual([2, 2]);
  });
});
