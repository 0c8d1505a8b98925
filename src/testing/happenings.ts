/**
 * What can be seen in a simulated world while it goes on.
 */
import type { StreamEnd } from './descriptions.js';
import type { Exit, SimulatedProcess } from './process.js';

/** Something that a process did, or that befell it. */
export type Happening = Deed | Words;

/** A process does something, starts another one, sends a signal, or ends. */
export type Deed =
  | {
      readonly kind: 'act';
      /** Who. */
      readonly by: SimulatedProcess;
      /** What, in words. */
      readonly words: string;
    }
  | {
      readonly kind: 'start';
      /** Who. */
      readonly by: SimulatedProcess;
      /** The new process. */
      readonly started: SimulatedProcess;
    }
  | {
      readonly kind: 'signal';
      /** null for somebody outside of this world. */
      readonly by: SimulatedProcess | null;
      /** Whom it is sent to. */
      readonly to: SimulatedProcess;
      /** Its name. */
      readonly signal: string;
    }
  | {
      readonly kind: 'exit';
      /** Who. */
      readonly by: SimulatedProcess;
      /** How it ends. */
      readonly exit: Exit;
    };

/** Bytes that the other end of a stream will read, and bytes that were read from one. */
export type Words = ({ readonly kind: 'said' } | { readonly kind: 'heard' }) & Line;

/** What `Words` carry. */
export interface Line {
  /** Who says or hears it. */
  readonly by: SimulatedProcess;
  /**
   * The end of the stream.
   *
   * @internal
   */
  readonly end: StreamEnd;
  /** As they are. */
  readonly bytes: Uint8Array;
}

/** Called when it happens; it must change nothing. */
export type Watch = (happening: Happening) => void;

/** A line for the trace. */
export const wordsOf = (happening: Deed): string => {
  switch (happening.kind) {
    case 'act':
      return `${happening.by.name} ${happening.words}`;
    case 'start':
      return `${happening.by.name} starts ${happening.started.name}`;
    case 'signal':
      return `${happening.by?.name} sends ${happening.signal} to ${happening.to.name}`;
    case 'exit': {
      const { code, signal } = happening.exit;
      return `${happening.by.name} ends ${signal === null ? `with status ${code}` : `by ${signal}`}`;
    }
  }
};
