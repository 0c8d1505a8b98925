import type { EventObject } from 'xstate';
import type { EvidenceInput } from '../../machines/contracts.js';
import type { EvidenceFact } from '../../machines/events.js';
import type { Settings } from '../../machines/policy.js';
import type { Env } from '../os/env.js';
import { effect } from './effect.js';

/** Where evidence goes. */
export interface EvidenceOptions {
  /** The folders are beside the pid file; without one there is no place for them. */
  readonly settings: Pick<Settings, 'pidFile'>;
}

/** What explains why a worker has to be killed, in a folder of its own. */
export const createEvidence = (env: Env, { settings }: EvidenceOptions) =>
  effect<EvidenceInput, EventObject, EvidenceFact>(env, ({ input, report }) => {
    const { pid } = input;
    const { pidFile } = settings;
    if (pidFile === null) {
      report({ type: 'evidence.collected', pid });
      return undefined;
    }
    return env.collectEvidence({
      ...input,
      directory: `${pidFile.replace(/\.pid$/, '')}-evidence`,
      onBegun: (folder) => report({ type: 'evidence.begun', pid, folder }),
      onDone: () => report({ type: 'evidence.collected', pid }),
      onFailure: (message) => report({ type: 'evidence.failed', pid, message }),
    });
  });
