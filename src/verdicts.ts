/**
 * Waiting for a verdict that a machine has yet to reach.
 */
import type { ActorRefFrom, Subscription } from 'xstate';
import type { Failure } from '../machines/events.js';
import type { SupervisorContext, supervisorMachine } from '../machines/supervisor.js';
import { TanistError } from './errors.js';

export class Verdicts {
  readonly #actor: ActorRefFrom<typeof supervisorMachine>;
  readonly #waiting = new Set<(failure: Failure) => void>();

  constructor(actor: ActorRefFrom<typeof supervisorMachine>) {
    this.#actor = actor;
  }

  /**
   * Waits until the machine's context has a verdict.
   *
   * Rejects with `TANIST_STOPPING` if the machine ends before, with `TANIST_INTERNAL` if it fails.
   */
  wait<Verdict>(what: string, find: (context: SupervisorContext) => Verdict | null): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      let subscription: Subscription | null = null;
      const end = () => {
        subscription?.unsubscribe();
        this.#waiting.delete(fail);
      };
      const fail = ({ message }: Failure) => {
        end();
        reject(new TanistError('TANIST_INTERNAL', message));
      };
      const look = () => {
        const verdict = find(this.#actor.getSnapshot().context);
        if (verdict === null) return;
        end();
        resolve(verdict);
      };
      this.#waiting.add(fail);
      subscription = this.#actor.subscribe({
        next: look,
        error: () => {
          // Whoever sees the error of the machine tells all that wait.
        },
        complete: () => {
          end();
          reject(new TanistError('TANIST_STOPPING', `the supervisor ended before the ${what} was decided`));
        },
      });
      look();
    });
  }

  /** No verdict will come. */
  fail(failure: Failure): void {
    for (const reject of this.#waiting) reject(failure);
  }
}
