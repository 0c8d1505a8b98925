/**
 * What happens now: one line that changes on a terminal, a line for each step elsewhere.
 */
import type { LoadProgress } from '../../load/plan.js';

const REFRESH_MS = 100;
const CLEAR_LINE = '\r\u001b[2K';
const MS_PER_SECOND = 1_000;

const requestsText = ({ answered, failed, lost, inFlight }: LoadProgress): string => {
  const withWorker = lost === 0 ? '' : `, ${lost} died with their worker`;
  return `${answered} answered, ${failed} failed${withWorker}, ${inFlight} under way`;
};

export class Progress {
  readonly #startedAtMs = performance.now();
  readonly #isTerminal = process.stdout.isTTY === true;
  readonly #timer: NodeJS.Timeout | undefined;
  #step = '';
  #look: () => LoadProgress | null = () => null;

  constructor() {
    if (this.#isTerminal) this.#timer = setInterval(() => this.#draw(), REFRESH_MS);
  }

  /** @param look where the requests of the load under way are counted. */
  follow(look: () => LoadProgress | null): void {
    this.#look = look;
  }

  step(text: string): void {
    this.#step = text;
    if (this.#isTerminal) this.#draw();
    else process.stdout.write(`${this.#line()}\n`);
  }

  /** Clears the line for what comes after it. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#isTerminal) process.stdout.write(CLEAR_LINE);
  }

  #draw(): void {
    process.stdout.write(`${CLEAR_LINE}${this.#line().slice(0, (process.stdout.columns ?? 80) - 1)}`);
  }

  #line(): string {
    const seconds = ((performance.now() - this.#startedAtMs) / MS_PER_SECOND).toFixed(1).padStart(5);
    const progress = this.#look();
    return `${seconds} s  ${this.#step}${progress === null ? '' : `  (${requestsText(progress)})`}`;
  }
}
