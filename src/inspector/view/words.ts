/**
 * Times, sizes and ends in words, as the page shows them.
 */
import type { Exit } from './picture.js';

const two = (value: number): string => String(value).padStart(2, '0');

/** `14:03:07.250`, in local time. */
export const clock = (atMs: number, withMs = true): string => {
  const date = new Date(atMs);
  const text = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMs ? `${text}.${String(date.getMilliseconds()).padStart(3, '0')}` : text;
};

/** `0.3 s`, `12 s`, `3 min 05 s`, `2 h 10 min`, `4 d 3 h`. */
export const span = (lengthMs: number): string => {
  const seconds = Math.max(0, lengthMs) / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3_600)} h ${two(Math.floor((whole % 3_600) / 60))} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3_600)} h`;
};

/** `83.1 MiB`. */
export const size = (bytes: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1_024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
};

export const exitText = ({ code, signal }: Pick<Exit, 'code' | 'signal'>): string =>
  signal === null ? `status ${code ?? '?'}` : signal;
