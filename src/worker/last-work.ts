import type { Drainable } from './shutdown.js';

/**
 * A program's main function, which may finish what it has in hand before the worker ends.
 *
 * It is waited for only if it can know that it should come to an end.
 */
export class LastWork implements Drainable {
  readonly #finished: Promise<unknown>;
  readonly #isHeedful: () => boolean;
  #isOver = false;
  #giveUp: () => void = () => undefined;

  /** @param finished settles when it has come to its end, and never rejects. */
  constructor(finished: Promise<unknown>, isHeedful: () => boolean) {
    this.#isHeedful = isHeedful;
    this.#finished = finished.then(() => {
      this.#isOver = true;
    });
  }

  async drain(): Promise<void> {
    if (!this.#isHeedful()) return;
    const givenUp = new Promise<void>((resolve) => {
      this.#giveUp = resolve;
    });
    await Promise.race([this.#finished, givenUp]);
  }

  cut(): number {
    if (this.#isHeedful() && !this.#isOver)
      console.error('tanist: supervisedProcess has not returned in time: the worker ends without it.');
    this.#giveUp();
    return 0;
  }
}
