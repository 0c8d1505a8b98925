/**
 * Connected sockets by descriptor.
 */
import net from 'node:net';
import { closeQuietly } from './descriptors.js';
import type { Stream, StreamHandlers } from './env.js';

export class Streams {
  /** Sockets that Node made for us (to new children) and nobody has opened yet, or that are open. */
  readonly sockets = new Map<number, net.Socket>();

  open(descriptor: number, handlers: StreamHandlers): Stream {
    const socket =
      this.sockets.get(descriptor) ?? new net.Socket({ fd: descriptor, readable: true, writable: true });
    this.sockets.set(descriptor, socket);
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
    socket.once('end', end);
    socket.once('close', end);
    socket.on('error', () => {
      // ECONNRESET, EPIPE: the other side is gone; 'close' follows and says so.
    });
    if (handlers.background) socket.unref();
    socket.resume();
    return {
      write(text) {
        if (ended) return 0;
        socket.write(text);
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
