/**
 * How an effect is written: a few lines around Env that report facts, take orders and clean up after themselves.
 */
import { type AnyEventObject, type CallbackActorLogic, type EventObject, fromCallback } from 'xstate';
import type { Dispose, Env } from '../os/env.js';

/** A fact before it is stamped with the time it is stated at. */
export type Unstamped<Fact> = Fact extends { readonly atMs: number } ? Omit<Fact, 'atMs'> : Fact;

/** What an effect is run with. */
export interface EffectTools<Input, Order extends EventObject, Fact> {
  /** What the machine has started it with. */
  readonly input: Input;
  /** States a fact, stamped with `atMs`. Ignored once the effect has ended. */
  readonly report: (fact: Unstamped<Fact>) => void;
  /** Takes the machine's orders from now on. */
  readonly onOrder: (take: (order: Order) => void) => void;
  /** True once the effect was stopped: what an asynchronous call brings after that must be given back. */
  readonly ended: () => boolean;
}

/**
 * Actor logic of an effect.
 *
 * What `run` throws is an error of the machine that has started the effect.
 *
 * @param env whose clock stamps the facts.
 * @param run starts the effect; what it returns is called once when the effect is stopped, and must give
 *   everything back that the effect still holds.
 */
export const effect = <Input, Order extends EventObject, Fact extends EventObject = AnyEventObject>(
  env: Pick<Env, 'now'>,
  run: (tools: EffectTools<Input, Order, Fact>) => Dispose | undefined,
): CallbackActorLogic<Order, Input> =>
  fromCallback<Order, Input>(({ input, sendBack, receive }) => {
    let ended = false;
    const dispose = run({
      input,
      report: (fact) => {
        if (!ended) sendBack({ ...fact, atMs: env.now() });
      },
      onOrder: (take) => receive(take),
      ended: () => ended,
    });
    return () => {
      ended = true;
      dispose?.();
    };
  });

/** Any thrown value as plain data. */
export const failureOf = (error: unknown, fallbackCode: string): { code: string; message: string } => ({
  code: error instanceof Error && 'code' in error ? String(error.code) : fallbackCode,
  message: error instanceof Error ? error.message : String(error),
});
