/**
 * The test's side of the gate in test/fixtures/stepped.mjs.
 */
import { mkdirSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A process that stands still at a step. */
export interface Held {
  readonly pid: number;
  /** Lets it go on; it may be dead by now. */
  release(): void;
}

export class Gate {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory);
  }

  /** The first process that comes to the step from now on stands still there. */
  arm(step: string): void {
    writeFileSync(join(this.directory, `${step}.armed`), '');
  }

  /** The process that stands at the step; null while none does. */
  look(step: string): Held | null {
    const name = readdirSync(this.directory).find((file) => new RegExp(`^${step}\\.\\d+$`).test(file));
    if (name === undefined) return null;
    return {
      pid: Number(name.slice(step.length + 1)),
      release: () => unlinkSync(join(this.directory, name)),
    };
  }
}
