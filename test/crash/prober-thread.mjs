/**
 * The thread of a Prober (prober.ts): a new connection every few milliseconds, whatever became of those before.
 *
 * A thread of its own, since the thread of the tests replays journals and reads /proc for a second and more on a
 * busy machine: who sleeps that long finds his own limits over, and takes an answer that waits to be read for none.
 */
import net from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const CONNECT_EVERY_MS = 25;

const { port, limitMs, shared } = workerData;
const answered = new Int32Array(shared);
const underWay = new Set();
const unanswered = [];
let [cut, longestMs] = [0, 0];

const connect = () => {
  const beganAtMs = performance.now();
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    let heard = '';
    let lost = null;
    const hasAnswer = () => heard.startsWith('HTTP/1.1 200');
    const overdue = setTimeout(() => {
      // Timers come before what waits in sockets: an answer that is there counts.
      setImmediate(() => {
        if (hasAnswer()) return;
        lost = `no answer within ${limitMs} ms`;
        socket.destroy();
      });
    }, limitMs);
    socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nHost: service\r\n\r\n'));
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    socket.on('error', (error) => {
      if (error.code === 'ECONNREFUSED') lost = 'refused';
    });
    socket.on('close', () => {
      clearTimeout(overdue);
      if (lost !== null) unanswered.push(lost);
      else if (hasAnswer()) {
        Atomics.add(answered, 0, 1);
        longestMs = Math.max(longestMs, performance.now() - beganAtMs);
      } else cut += 1;
      resolve();
    });
  });
};

const timer = setInterval(() => {
  const probe = connect().finally(() => underWay.delete(probe));
  underWay.add(probe);
}, CONNECT_EVERY_MS);

parentPort.once('message', async () => {
  clearInterval(timer);
  await Promise.all(underWay);
  parentPort.postMessage({ answered: answered[0], unanswered, cut, longestMs });
});
