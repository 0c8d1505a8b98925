import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenUnix, removeQuietly } from '../../src/os/listening.js';
import { placesOf, type Quarters } from '../../src/os/places.js';

let directory = '';
const before = process.env.TMPDIR;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tanist-'));
  process.env.TMPDIR = directory;
});

afterEach(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  rmSync(directory, { recursive: true });
});

/** A place without a pid file. */
const alone = () => {
  const { base, scratch, quarters } = placesOf(null);
  if (quarters === null) throw new Error('it has no quarters');
  return { base, scratch, quarters };
};

const put = (quarters: Quarters, path: string) => quarters.within(async () => writeFileSync(path, ''));

const take = (quarters: Quarters, path: string) => {
  removeQuietly(path);
  quarters.leave();
};

describe('the places of private sockets', () => {
  it('are beside the pid file where there is one', () => {
    expect(placesOf('/run/tanist/web.pid')).toEqual({
      scratch: '/run/tanist',
      base: '/run/tanist/web',
      quarters: null,
    });
  });

  it('are in a directory of this process alone without one, of which there is nothing until it is needed', () => {
    const [one, other] = [alone(), alone()];
    expect(one.scratch).toBe(directory);
    expect(one.base).toMatch(new RegExp(`^${directory}/tanist-[0-9a-f]{12}/s$`));
    expect(one.base).not.toBe(other.base);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('may be entered by nobody else, and go when the last socket goes', async () => {
    const { base, quarters } = alone();
    await put(quarters, `${base}.1`);
    expect(statSync(join(base, '..')).mode & 0o777).toBe(0o700);
    await put(quarters, `${base}.2`);
    take(quarters, `${base}.1`);
    expect(readdirSync(directory)).toHaveLength(1);
    take(quarters, `${base}.2`);
    expect(readdirSync(directory)).toEqual([]);
    // And come back.
    await put(quarters, `${base}.3`);
    expect(existsSync(`${base}.3`)).toBe(true);
    take(quarters, `${base}.3`);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('stay while a socket is being made in them, and go when that fails', async () => {
    const { base, quarters } = alone();
    let fail = (_: Error): void => undefined;
    const pending = quarters.within(
      () =>
        new Promise<void>((_, reject) => {
          fail = reject;
        }),
    );
    quarters.leave();
    expect(readdirSync(directory)).toHaveLength(1);
    fail(new Error('no more descriptors'));
    await expect(pending).rejects.toThrow('no more descriptors');
    expect(readdirSync(directory)).toEqual([]);
    expect(existsSync(base)).toBe(false);
  });

  it('are made anew when somebody has cleaned up', async () => {
    const { base, quarters } = alone();
    await put(quarters, `${base}.1`);
    rmSync(join(base, '..'), { recursive: true });
    await put(quarters, `${base}.2`);
    take(quarters, `${base}.2`);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('are refused where somebody else has taken the name, or no directory can be made', async () => {
    const { base, quarters } = alone();
    mkdirSync(join(base, '..'));
    await expect(put(quarters, `${base}.1`)).rejects.toMatchObject({ code: 'TANIST_RUN_DIR' });
    process.env.TMPDIR = join(directory, 'none');
    await expect(put(alone().quarters, 'x')).rejects.toThrow(/no directory for probe sockets .*ENOENT/);
    process.env.TMPDIR = join(directory, 'd'.repeat(80));
    await expect(put(alone().quarters, 'x')).rejects.toMatchObject({
      message: expect.stringContaining('a socket path of at most'),
      hint: 'Set TMPDIR to a directory that may be written to, with a short path.',
    });
  });

  it('take a probe socket', async () => {
    const { base, quarters } = alone();
    chmodSync(directory, 0o755);
    await quarters.within(() => listenUnix(`${base}.probe-1-1`));
    expect(statSync(`${base}.probe-1-1`).isSocket()).toBe(true);
    take(quarters, `${base}.probe-1-1`);
  });
});
