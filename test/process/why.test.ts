import { beforeAll, describe, expect, it } from 'vitest';
import { Generations, workerPid } from './generations.js';
import { GOOD, newWorld, perl } from './workers.js';

interface Told {
  readonly subject: string;
  readonly reason: string;
  readonly sentences: readonly { readonly seq: number; readonly time: string; readonly text: string }[];
}

describe('tanist why', () => {
  const world = new Generations();
  const told = { crashed: 0, second: 0, third: 0, refused: 0, generations: [0, 0] };
  const ask = async (
    ...words: readonly string[]
  ): Promise<{ status: number | null; answers: readonly Told[] }> => {
    const { status, stdout } = await world.tanist('why', '--json', ...words);
    return { status, answers: (JSON.parse(stdout) as { answers?: readonly Told[] }).answers ?? [] };
  };
  const textsOf = ({ answers }: { answers: readonly Told[] }): readonly string[] =>
    answers[0]?.sentences.map(({ text }) => text) ?? [];

  beforeAll(async () => {
    const options = ['--drain-timeout', '2s', '--respawn-delay', '4s'];
    const { daemon, status } = await world.started({ options });
    told.crashed = workerPid(status);
    process.kill(told.crashed, 'SIGKILL');
    await daemon.status('a worker in its place', ({ workers }) => workers[0]?.respawns === 1);
    told.second = workerPid(await daemon.running());
    expect((await world.reload()).status).toBe(200);
    const after = await daemon.settled(2);
    told.third = workerPid(after);
    told.generations = [status.pid, after.pid];
    world.release({ boot: 'crash' });
    const { verdict } = await world.reload();
    expect(verdict.outcome).toBe('refused');
    told.refused = Number(/pid (\d+)/.exec(verdict.detail ?? '')?.[1]);
    await daemon.settled(2);
  });

  it('says why a worker was started in the place of another one, and how that ended', async () => {
    const answer = await ask(String(told.second));
    const { subject, reason } = answer.answers[0] as Told;
    expect(subject).toBe(`Worker 1, pid ${told.second}, of generation 1`);
    expect(reason).toBe(
      `It was started because the worker before it in slot 1, pid ${told.crashed}, was ended by SIGKILL. It was asked to leave because its generation ends, and exited with status 0.`,
    );
    const texts = textsOf(answer);
    expect(texts).toContainEqual(
      expect.stringMatching(
        /^The next one had to wait 100 ms: young deaths in a row 1 \(--respawn adaptive, --respawn-delay 4 s\)/,
      ),
    );
    expect(texts).toContainEqual(
      expect.stringMatching(/^Generation 2 \(pid \d+\) took charge; this one leaves/),
    );
    expect(texts).toContain('It was asked to leave within 2 s (--drain-timeout): its generation ends.');
    const { sentences } = answer.answers[0] as Told;
    const times = sentences.map(({ time }) => Date.parse(time));
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    for (const { seq } of sentences) expect(seq).toBeGreaterThan(0);
  });

  it('says that nobody had asked a worker to leave that crashed', async () => {
    const { answers } = await ask(`pid:${told.crashed}`);
    expect(answers[0]?.reason).toBe(
      'It was started because generation 1 was started and filled its slots. Nobody had asked it to leave when it was ended by SIGKILL.',
    );
  });

  it('says about a slot what is true of the generation in charge, not of one that was refused', async () => {
    const { answers } = await ask('1');
    expect(answers[0]?.subject).toBe(`Worker 1, pid ${told.third}, of generation 2`);
    expect(answers[0]?.reason).toBe(
      'It was started because generation 2 was started by a reload and filled its slots. It serves, as far as the journal goes.',
    );
  });

  it('says about the last reload why it was refused, and what the new generation did', async () => {
    const answer = await ask('last-reload');
    expect(answer.answers[0]?.reason).toMatch(
      new RegExp(
        `^It was refused \\(worker-exited\\) after .*: worker 1 \\(pid ${told.refused}\\) exited with status 1 before it was ready. Generation 2 went on.$`,
      ),
    );
    // The new generation is killed as soon as it has said why it failed: its own last words may be missing.
    const texts = textsOf(answer).filter((text) => !text.endsWith('exited with status 1.'));
    expect(texts).toEqual([
      'A reload was asked for over the control socket.',
      expect.stringMatching(/^Generation 3 was started, pid \d+, \d+ ms after the request.$/),
      `Its worker 1 was started, pid ${told.refused}.`,
      expect.stringMatching(/^Generation 3 was refused \(worker-exited\): /),
    ]);
    expect((await ask(String(told.refused))).answers[0]?.reason).toMatch(
      /exited with status 1.$|which was refused \(worker-exited\).$/,
    );
  });

  it('says of a supervisor how it began and ended', async () => {
    const [first, second] = told.generations;
    const one = await ask(String(first));
    expect(one.answers[0]?.reason).toMatch(
      /^service was started: generation 1, pid \d+. Generation 2 \(pid \d+\) took charge/,
    );
    const two = await ask(`pid:${second}`);
    expect(two.answers[0]?.reason).toMatch(
      /^A reload was asked for over the control socket. Generation 2 began/,
    );
  });

  it('without a subject tells every slot and the last reload, a line each with time and number', async () => {
    const { status, stdout } = await world.tanist('why');
    expect(status).toBe(0);
    const heads = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('  '));
    expect(heads).toEqual([
      expect.stringMatching(new RegExp(`^Worker 1, pid ${told.third}, of generation 2: `)),
      expect.stringMatching(/^The last reload, asked for over the control socket in generation 2: /),
    ]);
    expect(stdout).toMatch(/^ {2}\d{4}-\d\d-\d\dT[\d:.]+Z {2}Worker 1 was started, pid \d+\. \[\d+\]$/m);
  });

  it('says so where the journal knows nothing', async () => {
    for (const subject of ['slot:9', 'pid:1', '999999999']) {
      const { status, stderr } = await world.tanist('why', subject);
      expect([status, stderr]).toEqual([1, expect.stringContaining('TANIST_UNKNOWN_TO_JOURNAL')]);
    }
  });

  it('reads a journal when nothing runs any more, and then knows of the stop', async () => {
    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
    const gone = await world.tanist('why', '1', '--name', 'service');
    expect([gone.status, gone.stderr]).toEqual([3, expect.stringContaining('--journal')]);
    const answer = await ask('1', '--journal', world.journalFile);
    expect(textsOf(answer)).toContain('A stop was asked for over the control socket.');
    await world.dispose();
  });
});

it('tanist why says so where a daemon has no journal, and what a limit did', async () => {
  const world = newWorld();
  const name = ['--name', 'x', '--start-timeout', '300ms', '--respawn-delay', '50ms'];
  const bare = world.run(['--name', 'bare', ...perl(...GOOD)], { env: { TANIST_JOURNAL: '' } });
  await bare.running();
  const none = await world.tanist('why', '--name', 'bare');
  expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('TANIST_NO_JOURNAL')]);
  const daemon = world.run([...name, ...perl('hang')]);
  await daemon.manyLines(2, 'worker.spawned');
  const { stdout } = await world.tanist('why', '1', '--name', 'x');
  expect(stdout).toContain(
    'was ended by SIGKILL, since it did not get ready in time (--start-timeout 300 ms)',
  );
});
