/**
 * Connected sockets by descriptor.
 */
import { writeSync } from 'node:fs';
import net from 'node:net';
import { closeQuietly } from './descriptors.js';
import type { Stream, StreamHandlers } from './env.js';
import { takeBack } from './read-ahead.js';

/**
 * Writes what the kernel takes at once, and returns the rest.
 *
 * Not through the socket: where the other side has closed its end, a socket of Node's is destroyed by the failed
 * write, and what the other side said before it went could not be read any more.
 */
const writeNow = (descriptor: number, bytes: Buffer): Buffer => {
  try {
    return bytes.subarray(writeSync(descriptor, bytes));
  } catch (error) {
    // EAGAIN: it is full. Anything else means that nobody will read it, and the reading side says so.
    const isFull = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
    return isFull ? bytes : Buffer.alloc(0);
  }
};

export class Streams {
  /** Sockets that Node made for us (to new children) and nobody has opened yet, or that are open. */
  readonly sockets = new Map<number, net.Socket>();

  open(descriptor: number, handlers: StreamHandlers): Stream {
    const socket =
      this.sockets.get(descriptor) ?? new net.Socket({ fd: descriptor, readable: true, writable: true });
    this.sockets.set(descriptor, socket);
    const ahead = takeBack(descriptor);
    if (ahead !== null) socket.unshift(ahead);
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      this.sockets.delete(descriptor);
      socket.destroy();
      handlers.onEnd();
    };
    socket.on('data', (chunk: Uint8Array) => {
      if (!ended) handlers.onData(chunk);
    });
    if (handlers.lingers) socket.allowHalfOpen = true;
    else socket.once('end', end);
    socket.once('close', end);
    socket.on('error', () => {
      // ECONNRESET, EPIPE: the other side is gone; 'close' follows and says so.
    });
    if (handlers.background) socket.unref();
    socket.resume();
    return {
      write(text) {
        // A socket that is destroyed has closed its descriptor, and the number may be another's.
        if (ended || socket.destroyed) return 0;
        const bytes = Buffer.from(text);
        const rest = socket.writableLength > 0 ? bytes : writeNow(descriptor, bytes);
        if (rest.length > 0) socket.write(rest);
        return socket.writableLength;
      },
      close: () => {
        ended = true;
        this.sockets.delete(descriptor);
        socket.destroy();
      },
    };
  }

  close(descriptor: number): void {
    const socket = this.sockets.get(descriptor);
    this.sockets.delete(descriptor);
    if (socket === undefined) closeQuietly(descriptor);
    else socket.destroy();
  }
}
