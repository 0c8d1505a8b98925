// A release that is broken in the way its VERSION says. It notes when that shows, on the monotonic clock, in FAULT.
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'tanist/worker';

const kind = readFileSync('VERSION', 'utf8').trim();
const note = () => appendFileSync('FAULT', `${Number(process.hrtime.bigint()) / 1e6}\n`);

if (kind === 'crashes-at-once') {
  note();
  process.exit(1);
}
if (kind === 'hangs') {
  note();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

const worker = await connect();
const server = createServer((request, response) => {
  if (kind === 'answers-500' && request.url === '/health') {
    note();
    response.writeHead(500);
  }
  response.end('broken');
});
await worker.serve(server);

const [, crashMs] = /^crashes-(\d+)$/.exec(kind) ?? [];
if (crashMs !== undefined) {
  setTimeout(() => {
    if (worker.signal.aborted) return;
    // Whoever is being answered gets his answer: what a crash itself costs no supervisor can give back.
    server.close(() => {
      note();
      process.exit(1);
    });
  }, Number(crashMs));
}
