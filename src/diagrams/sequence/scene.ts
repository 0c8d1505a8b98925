/**
 * A sequence diagram before it is drawn: who takes part, and what happens, from top to bottom.
 */
import type { Kind } from '../arrow.js';

export interface Lifeline {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  /** It is there from the beginning; else from the row in which it is started. */
  readonly isThere: boolean;
}

export type Row = { readonly atMs: number } & (
  | {
      readonly kind: 'message' | 'start';
      readonly from: string;
      readonly to: string;
      readonly text: string;
      readonly colour: Kind;
    }
  /** It does something that others can see, or nobody. */
  | { readonly kind: 'deed'; readonly on: string; readonly text: string; readonly colour: Kind }
  /** The state its machine is in from now on. */
  | { readonly kind: 'state'; readonly on: string; readonly state: string }
  | { readonly kind: 'end'; readonly on: string; readonly text: string }
);

/** What a participant is for a while, between two rows: from the top (null), to the bottom (null). */
export interface Span {
  readonly on: string;
  readonly is: 'serving' | 'in charge';
  readonly from: number | null;
  readonly to: number | null;
}

export interface Scene {
  readonly title: string;
  readonly lifelines: readonly Lifeline[];
  readonly rows: readonly Row[];
  readonly spans: readonly Span[];
}
