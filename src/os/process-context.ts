/**
 * What settings depend on in this process.
 */
import type { SettingsContext } from '../settings/run-directory.js';
import { systemAccounts } from './accounts.js';
import { handoverDescriptor } from './handover-socket.js';
import { startDirectoryOf } from './resolve-program.js';

export const processContext = (): SettingsContext => ({
  env: process.env,
  cwd: startDirectoryOf(process.env, process.cwd()),
  uid: process.getuid?.() ?? -1,
  platform: process.platform,
  accounts: systemAccounts,
  isSuccessor: handoverDescriptor(process.env) !== null,
});
