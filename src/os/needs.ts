/**
 * What a daemon's user must be able to use: checked at the start, since root could use it all.
 */
import { dirname } from 'node:path';
import type { Settings } from '../../machines/policy.js';
import type { ResolvedSettings } from '../config.js';
import type { Need, Program, Relaunch } from '../program.js';
import { isScript } from '../settings/node-program.js';

/** Where a supervisor makes files of its own. */
const forFiles = ({ pidFile, control }: Settings): readonly Need[] => {
  const need = (path: string, what: string): Need => ({
    path: dirname(path),
    use: 'make files in',
    purpose: `where its ${what}`,
  });
  if (pidFile === null) return control === null ? [] : [need(control, 'control socket is')];
  if (control === null || dirname(control) === dirname(pidFile))
    return [need(pidFile, 'pid file and its control socket are')];
  return [need(pidFile, 'pid file is'), need(control, 'control socket is')];
};

/** The program of the workers, and the directory they start in. */
const forWorkers = (command: string, { cwd, file, args }: Program): readonly Need[] => {
  const [script] = args;
  return [
    { path: cwd, use: 'enter', purpose: 'where the workers start' },
    { path: file, use: 'execute', purpose: 'which runs the workers' },
    ...(isScript(command) && script !== undefined
      ? [{ path: script, use: 'read', purpose: 'which the workers run' } as const]
      : []),
  ];
};

/** What the next generation reads again before it has anything else. */
const forReloads = (
  { surroundings: { envFiles } }: ResolvedSettings,
  { startDirectory, script, node }: Relaunch,
  configFile: string | null,
): readonly Need[] => [
  { path: startDirectory, use: 'enter', purpose: 'the start directory, which every reload starts from' },
  { path: node, use: 'execute', purpose: 'which every reload starts again' },
  { path: script, use: 'read', purpose: 'which every reload starts again' },
  ...envFiles.map((path): Need => ({ path, use: 'read', purpose: 'which every reload reads again' })),
  ...(configFile === null
    ? []
    : [{ path: configFile, use: 'read', purpose: 'which every reload reads again' } as const]),
];

export const needsOf = (
  resolved: ResolvedSettings,
  program: Program,
  relaunch: Relaunch,
  configFile: string | null,
): readonly Need[] => [
  ...forFiles(resolved.settings),
  ...forWorkers(resolved.program.command, program),
  ...(resolved.settings.hotReload ? forReloads(resolved, relaunch, configFile) : []),
];
