/**
 * What the operator should know about a program's `listen()`, each said once: by `process.emitWarning`, which writes
 * to standard error unless Node was told not to.
 */
import type { AskedAddress } from './listen-arguments.js';
import { type Listener, spelled } from './matching.js';

const said = new Set<string>();

const warn = (code: string, message: string): void => {
  if (said.has(code)) return;
  said.add(code);
  process.emitWarning(message, { type: 'TanistWarning', code });
};

export const warnings = {
  notAdopted(asked: AskedAddress, listeners: readonly Listener[]): void {
    const owned = listeners.map(({ name, address }) => `${address} (${name})`).join(', ');
    const where = spelled(asked);
    warn(
      'TANIST_NOT_ADOPTED',
      `the program listens on ${where}, which is no listener of tanist's (${owned}). While the old generation has ` +
        `that address a new one cannot listen there: give it to tanist as well, --listen ${where}.`,
    );
  },

  ownAddress(asked: AskedAddress): void {
    const where = spelled(asked);
    warn(
      'TANIST_NO_LISTENER',
      `the program listens on ${where} by itself: nobody answers there while it is replaced, and only one worker ` +
        `can have it. Give the address to tanist, --listen ${where}, and connections wait instead.`,
    );
  },

  wider(asked: AskedAddress, { address }: Listener): void {
    warn(
      'TANIST_WIDER_LISTENER',
      `the program asks for ${spelled(asked)} and gets tanist's listener ${address}, which is reached from elsewhere, ` +
        `too. If that is not meant: --listen ${spelled({ ...asked, host: asked.host === 'localhost' ? '127.0.0.1' : asked.host })}.`,
    );
  },

  cluster(): void {
    warn(
      'TANIST_CLUSTER',
      'the program starts processes of its own by node:cluster. They work, but tanist does not know them: a request ' +
        'of a connection that is kept may be lost when they are replaced, and --ready http cannot ask them. Let tanist ' +
        'start them, --workers N, and leave cluster out of the program.',
    );
  },

  closedBefore({ name, address }: Listener): void {
    warn(
      'TANIST_LISTENER_CLOSED',
      `the program listens on ${address} (${name}) again, after it has closed the server that had it: with that the ` +
        'listener of this process is gone. Programs that try out whether a port is free need not do that under tanist.',
    );
  },

  pathGone(path: string): void {
    warn(
      'TANIST_PATH_REMOVED',
      `${path} is gone, though tanist listens there: the program has removed it, as programs do before they listen. ` +
        'Nobody can connect. Leave that out under tanist, which replaces what is left of a dead one by itself.',
    );
  },
};
