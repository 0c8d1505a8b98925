/**
 * Streams as an event loop sees them: bytes, their end, and a write that nobody is left to read.
 */
import type { Stream, StreamHandlers } from '../os/env.js';
import { StreamEnd } from './descriptions.js';
import type { Machinery } from './machinery.js';
import type { SimulatedProcess } from './process.js';

const text = new TextEncoder();

/** Starts to read a descriptor; its end closes it. */
export const openStream = (
  machinery: Pick<Machinery, 'kernel' | 'trouble'>,
  process: SimulatedProcess,
  descriptor: number,
  handlers: StreamHandlers,
): Stream => {
  const { kernel } = machinery;
  const end = process.descriptors.get(descriptor);
  if (!(end instanceof StreamEnd)) throw new Error(`EBADF: ${descriptor} is no stream of ${process.name}`);
  let isOver = false;
  let isWoken = false;
  const close = () => {
    if (isOver) return false;
    isOver = true;
    unwatch();
    process.closeDescriptor(descriptor);
    return true;
  };
  const read = () => {
    isWoken = false;
    if (isOver) return;
    if (end.hasBytes) {
      const bytes = end.read();
      kernel.happen({ kind: 'heard', by: process, end, bytes });
      handlers.onData(bytes);
      if (!isOver && (end.hasEnded || end.hasBytes)) wake();
    } else if (end.hasEnded && !handlers.lingers && close()) handlers.onEnd();
  };
  const wake = () => {
    if (isWoken || isOver) return;
    isWoken = true;
    kernel.task(process, 'io', read);
  };
  const unwatch = end.watch(wake);
  return {
    write(line) {
      if (isOver || !process.isAlive || machinery.trouble('write') !== null) return 0;
      // EPIPE says nothing: what was not read yet is read first, and then the end.
      const bytes = text.encode(line);
      kernel.happen({ kind: 'said', by: process, end, bytes });
      return end.write(bytes) ?? 0;
    },
    close: () => {
      close();
    },
  };
};
