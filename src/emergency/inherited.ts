/**
 * What a successor holds from its first moment.
 */
import type { Settings } from '../../machines/policy.js';
import { fencePath } from '../../machines/supervisor.js';
import type { Handover } from '../handover.js';
import type { Inherited } from './holdings.js';

/** Null in a first generation. */
export const inheritedBy = (handover: Handover | null, { pidFile }: Settings): Inherited | null => {
  if (handover === null) return null;
  const { predecessor, listeners, descriptors } = handover.record;
  const { lock = null, token, lifeWrite, lifeRead, peerRead, fence, anchor = null } = descriptors;
  return {
    predecessor,
    messages: handover.messages,
    descriptors: [lock, token, lifeWrite, lifeRead, peerRead, anchor].filter(
      (descriptor) => descriptor !== null,
    ),
    listeners,
    fence: fence === null || pidFile === null ? null : { descriptor: fence, path: fencePath(pidFile) },
    anchor,
  };
};
