/**
 * A supervisor as an actor of somebody's own machine.
 */
import { type CallbackActorLogic, fromCallback } from 'xstate';
import type { Failure, SupervisorEvent } from '../machines/events.js';
import type { ReloadVerdict, ScaleVerdict, Status } from '../machines/status.js';
import type { SupervisorOptions } from './config.js';
import { createSupervisor } from './embed.js';
import type { Embedding } from './embedding.js';

/** What the machine around a supervisor may order: the calls of its handle. */
export type SupervisorOrder =
  | { readonly type: 'supervisor.reload' }
  | {
      readonly type: 'supervisor.scale';
      /** How many, 1 to 1024. */
      readonly workers: number;
    }
  | { readonly type: 'supervisor.stop' };

/** What a supervisor tells the machine around it: its own events, and what came of orders. */
export type SupervisorFact =
  | SupervisorEvent
  /** Its status is another one, as `subscribe()` tells it. */
  | {
      readonly type: 'supervisor.changed';
      /** As `status()` of the handle gives it. */
      readonly status: Status;
    }
  | {
      readonly type: 'supervisor.reloaded';
      /** What came of it; a refusal is one, too. */
      readonly verdict: ReloadVerdict;
    }
  | {
      readonly type: 'supervisor.scaled';
      /** What came of it; a refusal is one, too. */
      readonly verdict: ScaleVerdict;
    }
  /** Nothing of it is left, and nothing more will be told. */
  | {
      readonly type: 'supervisor.ended';
      /** Why; null after an orderly end. */
      readonly failure: Failure | null;
    };

/**
 * Actor logic that is a supervisor, for a machine with regions of its own: `setup({ actors: { supervisor:
 * fromSupervisor(…) } })`, to be invoked once.
 *
 * It takes `SupervisorOrder`s and sends `SupervisorFact`s to the machine that has invoked it. An order that comes too
 * late, when it stops or another generation is in charge, is ignored. When the state that has invoked it is left, it
 * is asked to stop, and is not waited for: leave it at `supervisor.ended`. What `createSupervisor()` throws is the
 * error of the invocation (`onError`), and nothing runs then.
 */
export const fromSupervisor = (
  options: SupervisorOptions,
  embedding: Embedding = {},
): CallbackActorLogic<SupervisorOrder> =>
  fromCallback<SupervisorOrder>(({ sendBack, receive }) => {
    const supervisor = createSupervisor(options, embedding);
    const tell = (fact: SupervisorFact) => sendBack(fact);
    const tooLate = () => {
      // It stops, or another generation is in charge: both have been told as events.
    };
    supervisor.on('*', tell);
    supervisor.subscribe((status) => tell({ type: 'supervisor.changed', status }));
    let hasEnded = false;
    supervisor.done.then((failure) => {
      hasEnded = true;
      tell({ type: 'supervisor.ended', failure });
    });
    receive((order) => {
      if (order.type === 'supervisor.stop') supervisor.stop();
      else if (order.type === 'supervisor.reload')
        supervisor.reload().then((verdict) => tell({ type: 'supervisor.reloaded', verdict }), tooLate);
      else
        supervisor
          .scale(order.workers)
          .then((verdict) => tell({ type: 'supervisor.scaled', verdict }), tooLate);
    });
    return () => {
      if (!hasEnded) supervisor.stop();
    };
  });
