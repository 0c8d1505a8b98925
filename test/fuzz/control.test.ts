/**
 * Whatever a client writes to the control socket: the real server and the real routes, raw bytes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createControlServer } from '../../src/os/control-server.js';
import { get } from '../process/harness.js';
import { FUZZ, hostileBytes } from './runs.js';

const WORDS = [
  ...[
    'GET ',
    'POST ',
    'PUT ',
    '/status',
    '/reload',
    '/reload?id=',
    '/stop',
    '//',
    ' HTTP/1.1\r\n',
    ' HTTP/9.9\r\n',
  ],
  ...[
    'Host: x\r\n',
    '\r\n',
    'Content-Length: 5\r\n',
    'Content-Length: -1\r\n',
    'Transfer-Encoding: chunked\r\n',
  ],
  ...[
    'Connection: close\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: websocket\r\n',
    '5\r\nhello\r\n',
    '0\r\n\r\n',
  ],
];
/** Clients at once: fewer than the server admits. */
const AT_ONCE = 32;
/** A client that has said all it wants to say is answered or hung up on: within the server's own limits. */
const ANSWER_LIMIT_MS = 15_000;

let directory: string;
let path: string;
let asked = 0;
const server = createControlServer((request) => {
  asked += 1;
  request.respond(200, { method: request.method, path: request.path });
});

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tanist-fuzz-'));
  path = join(directory, 'control.sock');
  await server.claim(path, true);
});

afterAll(() => {
  server.remove();
  server.close();
  rmSync(directory, { recursive: true });
});

/** Writes the bytes, ends, and returns the answer when the server has closed the connection. */
const send = (bytes: Uint8Array): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = net.connect({ path, allowHalfOpen: false });
    const limit = setTimeout(() => {
      socket.destroy();
      reject(new Error(`neither answered nor closed within ${ANSWER_LIMIT_MS} ms: ${answer}`));
    }, ANSWER_LIMIT_MS);
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.on('error', () => {
      // A reset is an answer as well; 'close' follows.
    });
    socket.on('close', () => {
      clearTimeout(limit);
      resolve(answer);
    });
    socket.end(bytes);
  });

describe('whatever a client writes to the control socket', () => {
  it('is answered as HTTP or hung up on, and the next client is served', async () => {
    const batch = fc.array(hostileBytes(WORDS, 20_000), { minLength: AT_ONCE, maxLength: AT_ONCE });
    await fc.assert(
      fc.asyncProperty(batch, async (inputs) => {
        const answers = await Promise.all(inputs.map(send));
        for (const answer of answers) expect(answer).toMatch(/^$|^HTTP\/1\.1 [1-5]\d\d /);
      }),
      { ...FUZZ, numRuns: Math.ceil(FUZZ.numRuns / 5 / AT_ONCE), endOnFailure: true },
    );
    const before = asked;
    expect((await get(`unix:${path}`, '/status')).status).toBe(200);
    expect(asked).toBe(before + 1);
  }, 180_000);
});
