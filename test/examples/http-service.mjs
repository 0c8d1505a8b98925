// A web service that can be replaced without losing a request:
//
//   tanist run --listen 3000 -- node http-service.mjs
//
//   GET /          who answers: pid, generation, slot, version
//   GET /slow?ms=  the same, after some time
//   GET /health    for tanist run --ready http=/health
//
// BOOT_MS (300) is how long it takes to start; the version is what the file VERSION in the working directory
// says, else the variable VERSION.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'tanist/worker';

// First, so that signals are handled from the beginning.
const worker = await connect();

const readVersion = () => {
  try {
    return readFileSync('VERSION', 'utf8').trim();
  } catch {
    return process.env.VERSION ?? 'none';
  }
};

// Whatever a program does before it can work: open its database, fill its caches.
const { generation, slot } = worker;
const whoAnswers = JSON.stringify({ pid: process.pid, generation, slot, version: readVersion() });
await sleep(Number(process.env.BOOT_MS ?? 300));

const routes = {
  '/': async () => whoAnswers,
  '/slow': async (query) => {
    await sleep(Number(query.get('ms') ?? 1000));
    return whoAnswers;
  },
  '/health': async () => '{"healthy":true}',
};

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://service');
  const body = await routes[pathname]?.(searchParams);
  response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
  response.end(body ?? '{"error":"not found"}');
});

// Run after the last answer.
worker.onShutdown(() => console.log(`${process.pid} has answered everything`));

// Says "takeover", waits for "ok", listens. Without tanist it listens on PORT.
await worker.serve(server, { fallback: Number(process.env.PORT ?? 3000) });
