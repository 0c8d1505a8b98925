/**
 * What one --listen asks for: opened here, or taken over from whoever started us.
 */
import type { BoundListener } from '../../machines/events.js';
import type { ListenSpec } from '../../machines/policy.js';
import { TanistError } from '../errors.js';
import { adopt } from './adoption.js';
import { closeQuietly } from './descriptors.js';
import { listen, removeQuietly } from './listening.js';

/**
 * @param taken listeners of the same supervisor that are open: neither name nor descriptor may be one of theirs.
 * @throws {TanistError} `TANIST_LISTEN_IN_USE`, `TANIST_LISTEN_FAILED` or `TANIST_LISTEN_INHERITED`.
 */
export const openListeners = async (
  spec: ListenSpec,
  taken: readonly BoundListener[],
): Promise<readonly BoundListener[]> => {
  const opened = spec.kind === 'fd' || spec.kind === 'systemd' ? await adopt(spec) : [await listen(spec)];
  const problem = clash(opened, taken);
  if (problem === null) return opened;
  for (const { address, file, descriptor, origin } of opened) {
    if (address.startsWith('unix:') && origin === undefined)
      removeQuietly(address.slice('unix:'.length), file);
    if (!taken.some((other) => other.descriptor === descriptor)) closeQuietly(descriptor);
  }
  throw new TanistError('TANIST_LISTEN_INHERITED', problem);
};

/** Names that a service manager has given are known only now. */
const clash = (opened: readonly BoundListener[], taken: readonly BoundListener[]): string | null => {
  const before = [...taken];
  for (const listener of opened) {
    const same = before.find(
      ({ name, descriptor }) => name === listener.name || descriptor === listener.descriptor,
    );
    if (same?.name === listener.name) {
      return `two listeners have the name ${listener.name}: ${same.address} and ${listener.address}`;
    }
    if (same !== undefined) {
      return `two listeners are descriptor ${listener.descriptor}: ${same.name} and ${listener.name}`;
    }
    before.push(listener);
  }
  return null;
};
