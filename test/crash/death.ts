/**
 * When a process is dead for whoever started it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { isRunning, until } from '../process/harness.js';

/**
 * The first thread of a process is a zombie before the others are gone, and only the last one's end is told: until
 * then its supervisor cannot know.
 */
const isDead = (pid: number): boolean => {
  if (isRunning(pid)) return false;
  try {
    return readdirSync(`/proc/${pid}/task`).length === 1;
  } catch {
    // It was reaped.
    return !existsSync(`/proc/${pid}`);
  }
};

/** Waits until nothing of a process is left that could delay the word of its end. */
export const dead = (pid: number): Promise<boolean> => until(`the end of ${pid}`, () => isDead(pid));
