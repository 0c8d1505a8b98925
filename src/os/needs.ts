/**
 * What a daemon's user must be able to use: checked at the start, since root could use it all.
 */
import { dirname } from 'node:path';
import type { ResolvedSettings } from '../config.js';
import type { Need, Program, Relaunch } from '../program.js';
import { isScript } from '../settings/node-program.js';

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
  {
    path: dirname(resolved.settings.pidFile),
    use: 'make files in',
    purpose: 'where its pid file and its control socket are',
  },
  ...forWorkers(resolved.program.command, program),
  ...(resolved.settings.hotReload ? forReloads(resolved, relaunch, configFile) : []),
];
