// The service of one thread: says that it is ready, serves when it may, and finishes when it is asked to leave.
import { createServer } from 'node:http';
import { parentPort, threadId, workerData } from 'node:worker_threads';

let isLeaving = false;
const unfinished = new Set();
const server = createServer((request, response) => {
  // Whoever keeps his connection is told to open another one, elsewhere.
  if (isLeaving) response.setHeader('connection', 'close');
  if (request.url === '/crash') {
    response.end('it crashes\n', () => {
      throw new Error('crashed on request');
    });
    return;
  }
  if (request.url === '/patient') {
    // An answer that takes until the thread is asked to leave: it is finished first.
    response.write('begun\n');
    unfinished.add(response);
    return;
  }
  response.end(`${JSON.stringify({ ...workerData, threadId })}\n`);
});

parentPort.on('message', ({ serve, leave }) => {
  for (const fd of serve ?? []) server.listen({ fd });
  if (!leave) return;
  isLeaving = true;
  for (const response of unfinished) response.end('finished\n');
  // Idle connections are closed at once; `serve()` of tanist/worker would give them a second.
  if (server.listening) server.close(() => process.exit(0));
  else process.exit(0);
});
parentPort.postMessage('takeover');
