/**
 * The floor: the same service as plain Node starts it, without a supervisor.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { root, type World } from '../process/harness.js';

export const service = `${root}test/examples/http-service.mjs`;
/** What the service takes to be ready, beside the start of Node itself. */
export const BOOT_MS = 300;

const RETRY_MS = 2;
const HOST = '127.0.0.1';

/** A port that nobody uses now. */
export const freePort = async (): Promise<number> => {
  const server = net.createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/** The first bytes of the answer to one request; null if nobody listens. */
const ask = (port: number): Promise<string | null> =>
  new Promise((resolve, reject) => {
    const socket = net.connect(port, HOST, () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    socket.once('data', (chunk) => {
      socket.destroy();
      resolve(chunk.toString('latin1'));
    });
    socket.once('end', () => reject(new Error('the service closed the connection without an answer')));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve(null);
      else reject(error);
    });
  });

/** Asks until somebody answers. A listener that accepts for later is waited for: it is asked once. */
export const firstAnswer = async (port: number): Promise<string> => {
  for (;;) {
    const answer = await ask(port);
    if (answer !== null) return answer;
    await pause(RETRY_MS);
  }
};

export interface PlainService {
  readonly child: ChildProcess;
  readonly port: number;
}

export const startPlain = async (world: World): Promise<PlainService> => {
  const port = await freePort();
  const child = spawn(process.execPath, [service], {
    env: { ...world.env, BOOT_MS: String(BOOT_MS), PORT: String(port) },
    stdio: 'ignore',
  });
  return { child, port };
};

export const end = async (child: ChildProcess): Promise<void> => {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};

/** From SIGKILL of a service until whoever started it hears of its end. */
export const deathMs = async (world: World): Promise<number> => {
  const { child, port } = await startPlain(world);
  await firstAnswer(port);
  const startedAt = performance.now();
  await end(child);
  return performance.now() - startedAt;
};

/** From the start of so many copies at once until each has answered. */
export const bootMs = async (world: World, copies: number): Promise<number> => {
  const startedAt = performance.now();
  const services = await Promise.all(Array.from({ length: copies }, () => startPlain(world)));
  await Promise.all(services.map(({ port }) => firstAnswer(port)));
  const tookMs = performance.now() - startedAt;
  await Promise.all(services.map(({ child }) => end(child)));
  return tookMs;
};

/** From the start of a program until its exit. */
export const lifeMs = async (world: World, args: readonly string[]): Promise<number> => {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...args], { env: world.env, stdio: 'ignore' });
  await once(child, 'exit');
  return performance.now() - startedAt;
};
