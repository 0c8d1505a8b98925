// A release that starts well, and answers every request with an error.
import { createServer } from 'node:http';
import { connect } from 'tanist/worker';

const worker = await connect();
const server = createServer((_request, response) => response.writeHead(500).end('{"error":"no database"}'));
await worker.serve(server);
