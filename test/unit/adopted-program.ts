/**
 * A program that knows nothing of tanist, with the preload in front of it, and the supervisor's end of its channel.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { type WorkerPlan, WorkerUnderTest } from './fake-supervisor.js';

const DIST = resolve(process.env.TANIST_DIST ?? 'dist');
export const PRELOAD = join(DIST, 'bin/adopt-preload.js');

export interface AdoptedPlan extends Omit<WorkerPlan, 'program' | 'listeners'> {
  readonly listeners?: Readonly<Record<string, { readonly fd: number; readonly address: string }>>;
  /** `mjs` for an ES module. Default `cjs`. */
  readonly ending?: 'cjs' | 'mjs';
}

/** What every program here begins with. `say` writes a line that the test hears at the end. */
const BEGINNING = {
  cjs: `const http = require('node:http'); const net = require('node:net'); const { PORT } = process.env;`,
  mjs: `import http from 'node:http'; import net from 'node:net'; const { PORT } = process.env;`,
};

/** Starts a program of these lines; `PORT` is that of the first listener. */
export const adoptedProgram = (text: string, plan: AdoptedPlan = {}): WorkerUnderTest => {
  const { listeners = {}, ending = 'cjs', env = {}, ...others } = plan;
  const directory = mkdtempSync(join(tmpdir(), 'tanist-adopted-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const script = join(directory, `program.${ending}`);
  writeFileSync(script, `${BEGINNING[ending]}\n${text}`);
  const addresses = Object.values(listeners).map(({ address }) => address);
  const [port] = addresses.flatMap((address) => /:(\d+)$/.exec(address)?.[1] ?? []);
  return new WorkerUnderTest({
    ...others,
    listeners,
    program: [process.execPath, '--require', PRELOAD, script],
    env: {
      TANIST_ADOPT: JSON.stringify(addresses),
      ...(port === undefined ? {} : { PORT: port }),
      ...env,
    },
  });
};

/** Waits until it says takeover. A slow machine hears before that what is waited for, and that it is no longer. */
export const takeover = async (worker: WorkerUnderTest): Promise<void> => {
  for (let line = await worker.hear(); line !== 'takeover'; line = await worker.hear()) {
    if (line === null || !/^status (waits |$)/.test(line))
      throw new Error(`heard ${line} instead of takeover`);
  }
};

export const letServe = async (worker: WorkerUnderTest): Promise<void> => {
  await takeover(worker);
  worker.say('ok');
};
