/**
 * Booted spares that wait for a slot: when one is wanted, and where.
 */
import { allReady, type SlotRecord } from '../slots.js';
import type { SupervisorContext } from './context.js';
import { readySpare } from './relief.js';

/** This generation serves, and goes on serving. */
const goesOn = ({ inCharge, retiring, promoted, stops, failure }: SupervisorContext): boolean =>
  inCharge && !retiring && !promoted && stops === 0 && failure === null;

export interface Promotion {
  readonly empty: SlotRecord;
  readonly spare: SlotRecord;
}

/** A slot whose worker is gone, and a standby that can serve in it at once; null for none now. */
export const nextPromotion = (context: SupervisorContext): Promotion | null => {
  const spare = readySpare(context);
  const empty = context.slots.find(({ leaving, state }) => !leaving && state === 'backoff');
  return spare === null || empty === undefined || !goesOn(context) ? null : { empty, spare };
};

/**
 * Standbys are booted when every slot serves, so that they delay neither a start nor a reload.
 *
 * A successor that is in charge boots its own while its predecessor still finishes.
 */
export const lacksSpares = (context: SupervisorContext): boolean =>
  goesOn(context) &&
  allReady(context.slots) &&
  (context.spares.length < context.settings.standby ||
    context.spares.some(({ state }) => state === 'stopped'));
