// The service of the image: any program that calls listen() will do, this one says what it is.
import http from 'node:http';
import { connect } from 'tanist/worker';

const worker = await connect();
const server = http.createServer((_, response) => response.end(`generation ${worker.generation}\n`));
await worker.serve(server, { fallback: 8080 });
