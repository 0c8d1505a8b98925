// A service of plain Node that has booted and listens when whoever started it says so: descriptor 3 is that word's,
// descriptor 4 the listening socket.
import http from 'node:http';
import net from 'node:net';

const server = http.createServer((_, response) => response.end(JSON.stringify({ pid: process.pid })));
const words = new net.Socket({ fd: 3 });
words.once('data', () => server.listen({ fd: 4 }, () => words.write('listens')));
words.once('close', () => process.exit(0));
words.write('booted');
