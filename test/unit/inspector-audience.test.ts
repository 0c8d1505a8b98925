import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Audience } from '../../src/inspector/audience.js';
import { History } from '../../src/inspector/history.js';

/** A browser whose connection is full from the first word on. */
class Full extends EventEmitter {
  // Its end is told in a later turn of the event loop.
  readonly destroy = vi.fn(() => setImmediate(() => this.emit('close')));
  writeHead(): void {
    // Nobody looks at it.
  }
  write(): boolean {
    return false;
  }
}

const STALL_MS = 3_000;
const LOOK_EVERY_MS = 1_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('a browser that takes nothing', () => {
  const admitted = (): { audience: Audience; browser: Full } => {
    const history = new History({ entries: 10, chars: 1_000 });
    const audience = new Audience({ history, most: 1, stallMs: STALL_MS });
    audience.tell('link', 'live');
    const browser = new Full();
    expect(audience.admit(browser as unknown as ServerResponse, 0)).toBe(true);
    return { audience, browser };
  };

  it('is dropped when it was found full for longer than it may be', () => {
    const { audience, browser } = admitted();
    vi.advanceTimersByTime(STALL_MS);
    expect([audience.size, audience.dropped]).toEqual([1, 0]);
    vi.advanceTimersByTime(LOOK_EVERY_MS);
    expect(browser.destroy).toHaveBeenCalledOnce();
    expect([audience.size, audience.dropped]).toEqual([0, 1]);
    vi.advanceTimersByTime(LOOK_EVERY_MS);
    expect(audience.dropped).toBe(1);
  });

  it('is not dropped because this process has slept, and has all of its time again once it takes something', () => {
    const { audience, browser } = admitted();
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
    vi.advanceTimersByTime(LOOK_EVERY_MS);
    expect(audience.dropped).toBe(0);
    vi.advanceTimersByTime(STALL_MS - LOOK_EVERY_MS);
    audience.tell('link', 'gone');
    browser.emit('drain');
    vi.advanceTimersByTime(STALL_MS);
    expect(audience.dropped).toBe(0);
  });
});
