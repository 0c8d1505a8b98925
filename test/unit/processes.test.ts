import { afterEach, describe, expect, it } from 'vitest';
import { isAlive, Processes } from '../../src/os/processes.js';

const processes = new Processes(new Map());
afterEach(() => processes.killAll());

/** A process that does nothing until it is ended, and how it ended. */
const idler = async () => {
  let tell: (signal: string | null) => void = () => undefined;
  const ended = new Promise<string | null>((resolve) => {
    tell = resolve;
  });
  const child = await new Promise<{ pid: number; startTime: string | null }>((resolve, reject) =>
    processes.spawn({
      role: 'worker',
      file: process.execPath,
      args: ['-e', 'setInterval(() => {}, 1000)'],
      cwd: '/',
      env: {},
      descriptors: ['null', 'null', 'null'],
      onSpawn: resolve,
      onFailure: (failure) => reject(new Error(failure.message)),
      onExit: ({ signal }) => tell(signal),
    }),
  );
  return { child, ended };
};

describe('a signal to a process of a given identity', () => {
  it('reaches a child of ours', async () => {
    const { child, ended } = await idler();
    expect(processes.signalProcess(child, 'SIGTERM', false)).toBeNull();
    expect(await ended).toBe('SIGTERM');
  });

  it('does not reach a child that only has the pid of one that is gone', async () => {
    const { child, ended } = await idler();
    const gone = { pid: child.pid, startTime: '1' };
    expect(processes.signalProcess(gone, 'SIGKILL', true)).toBe('it is gone');
    expect(isAlive(child)).toBe(true);
    processes.signalProcess(child, 'SIGTERM', false);
    expect(await ended).toBe('SIGTERM');
  });
});
