/**
 * What the successor's part of a reload knows.
 */
import type { Identity } from '../events.js';
import { isChecked, type Settings } from '../policy.js';
import type { ReloadReason } from '../status.js';

/** What the takeover machine is started with. */
export interface TakeoverInput {
  /** The successor's own: its limits count on this side. */
  readonly settings: Settings;
  /** The process that hands over. */
  readonly predecessor: Identity;
  /** The predecessor's workers, as the hand-over record named them. */
  readonly workers: readonly Identity[];
  /** Descriptors of the link. */
  readonly messages: number;
  /** The stream with the token. */
  readonly token: number;
  /** Reading end of the predecessor's life pipe. */
  readonly lifeRead: number;
}

/** What the takeover machine knows. Plain JSON. */
export interface TakeoverContext extends TakeoverInput {
  /** Every slot has been ready. */
  readonly ready: boolean;
  /** Our workers may serve, or are about to: the predecessor was told. */
  readonly activated: boolean;
  /** The last health check of every worker has passed, or nobody asks. */
  readonly healthy: boolean;
  /** The token is ours. */
  readonly decided: boolean;
  /** The predecessor's supervisor is gone. */
  readonly dead: boolean;
  /** Supervisor and workers of the predecessor are gone. */
  readonly departed: boolean;
  /** Why this generation gives up; null as long as it does not. */
  readonly failure: {
    /** As a word of the verdict. */
    readonly reason: ReloadReason;
    /** In one sentence for a person. */
    readonly detail: string;
  } | null;
  /** Somebody asked for a stop. */
  readonly stopping: boolean;
}

export const initialContext = (input: TakeoverInput): TakeoverContext => ({
  ...input,
  ready: false,
  activated: false,
  healthy: !isChecked(input.settings),
  decided: false,
  dead: false,
  departed: false,
  failure: null,
  stopping: false,
});
