import { describe, expect, it } from 'vitest';
import { type Import, importsIn, sourcesIn } from './imports.js';

const text = ({ from, to, typesOnly }: Import): string =>
  `${from} imports ${typesOnly ? 'types of ' : ''}${to}`;

/** Imports of a room that its rule does not allow, in words. */
const strangers = (folder: string, allowed: (entry: Import) => boolean): readonly string[] =>
  importsIn(folder)
    .filter((entry) => !entry.to.startsWith(`${folder}/`) && !allowed(entry))
    .map(text);

const isNode = ({ to }: Import): boolean => to.startsWith('node:');

describe('who may import whom', () => {
  it('finds the files it reads', () => {
    for (const folder of [
      'machines',
      'src/protocol',
      'src/worker',
      'src/adopt',
      'src/actors',
      'src/cli',
      'src/client',
      'src/words',
    ])
      expect(sourcesIn(folder).length, folder).toBeGreaterThan(2);
    expect(importsIn('machines').length).toBeGreaterThan(30);
  });

  it('machines import xstate and themselves', () => {
    expect(strangers('machines', ({ to }) => to === 'xstate')).toEqual([]);
  });

  it('the protocol imports nothing', () => {
    expect(strangers('src/protocol', () => false)).toEqual([]);
  });

  it('the worker imports the protocol and node', () => {
    expect(strangers('src/worker', (entry) => isNode(entry) || entry.to.startsWith('src/protocol/'))).toEqual(
      [],
    );
  });

  it('adoption imports the worker, the protocol and node', () => {
    const allowed = (entry: Import) =>
      isNode(entry) || entry.to.startsWith('src/worker/') || entry.to.startsWith('src/protocol/');
    expect(strangers('src/adopt', allowed)).toEqual([]);
  });

  it('actors import the protocol, limits of the policy, and types of the machines, of Env and of the program', () => {
    // Machines and actors are put together in one file, and offered with the real door in another.
    const isProvider = ({ from }: Import) => from === 'src/actors/provide.ts';
    const isIndex = ({ from }: Import) => from === 'src/actors/index.ts';
    const mayBeTypes = ({ to, typesOnly }: Import) =>
      typesOnly && (to.startsWith('machines/') || to === 'src/os/env.ts' || to === 'src/program.ts');
    const isAssembly = (entry: Import) =>
      (isProvider(entry) && entry.to.startsWith('machines/')) ||
      (isIndex(entry) && entry.to === 'src/os/node-env.ts') ||
      (isIndex(entry) && entry.typesOnly && entry.to === 'src/os/places.ts');
    const allowed = (entry: Import) =>
      entry.to === 'xstate' ||
      entry.to === 'node:crypto' ||
      entry.to.startsWith('src/protocol/') ||
      // Limits, which are plain numbers.
      entry.to === 'machines/policy.ts' ||
      mayBeTypes(entry) ||
      isAssembly(entry);
    expect(strangers('src/actors', allowed)).toEqual([]);
  });

  it('nothing but the command line imports the command line', () => {
    const others = [...importsIn('machines'), ...importsIn('src')];
    expect(
      others
        .filter((entry) => entry.to.startsWith('src/cli/') && !entry.from.startsWith('src/cli/'))
        .map(text),
    ).toEqual([]);
  });

  it('words import commander, settings, errors and limits, and reach for no process and no file', () => {
    const allowed = (entry: Import) =>
      ['commander', 'node:util', 'src/errors.ts', 'machines/policy.ts'].includes(entry.to) ||
      entry.to.startsWith('src/settings/') ||
      (entry.typesOnly && entry.to === 'src/config.ts');
    expect(strangers('src/words', allowed)).toEqual([]);
  });

  it('clients start nothing: they ask, and look up what a start would run', () => {
    const rooms = [
      'src/settings/',
      'src/words/',
      'src/errors.ts',
      'src/config.ts',
      'src/handover.ts',
      'src/program.ts',
    ];
    const readers = ['config-file', 'resolve-program', 'lock-probe'].map((name) => `src/os/${name}.ts`);
    const allowed = (entry: Import) =>
      isNode(entry) ||
      rooms.some((room) => entry.to.startsWith(room)) ||
      readers.includes(entry.to) ||
      (entry.typesOnly && entry.to.startsWith('machines/'));
    expect(strangers('src/client', allowed)).toEqual([]);
  });

  it('a worker of a daemon loads neither machines nor log nor lock', () => {
    const heavy = ['xstate', 'pino', 'src/embed.ts', 'src/supervisor.ts', 'src/log.ts'];
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      // The first is loaded by a supervisor that starts, the second at the first lock.
      for (const { from, to, typesOnly } of [...importsIn('src'), ...importsIn('machines')])
        if (from === file && !typesOnly && to !== 'src/start.ts' && to !== 'fs-ext') visit(to);
    };
    visit('src/index.ts');
    expect(reached).toContain('src/daemon/worker-role.ts');
    expect([...reached].filter((file) => heavy.includes(file))).toEqual([]);
  });

  it('diagrams import the machines and xstate; a recorded reload the simulated world', () => {
    const recorder = 'src/diagrams/sequence/recording.ts';
    const allowed = ({ from, to }: Import) =>
      to === 'xstate' ||
      to.startsWith('machines/') ||
      // A reload is recorded in the simulated world, with the settings that a command line gives.
      (from === recorder && /^src\/(testing|protocol)\/|^src\/config\.ts$/.test(to));
    expect(strangers('src/diagrams', allowed)).toEqual([]);
  });

  it('the journal imports xstate and the machines, and nothing of a real system', () => {
    const isFileType = ({ to, typesOnly }: Import) => typesOnly && to === 'src/os/journal-file.ts';
    expect(
      strangers(
        'src/journal',
        (entry) => entry.to === 'xstate' || entry.to.startsWith('machines/') || isFileType(entry),
      ),
    ).toEqual([]);
  });

  it('the emergency path imports machines, the protocol, one effect, and types', () => {
    const own = ['machines/', 'src/protocol/', 'src/emergency/'];
    expect(
      strangers(
        'src/emergency',
        ({ to, typesOnly }) =>
          typesOnly || own.some((room) => to.startsWith(room)) || to === 'src/actors/kill.ts',
      ),
    ).toEqual([]);
  });

  it('the simulated world imports xstate, machines, effects, protocol and emergency path, and nothing of a real system', () => {
    const own = ['machines/', 'src/protocol/', 'src/emergency/', 'src/testing/'];
    const pure = ['xstate', 'xstate/graph', 'src/actors/provide.ts', 'src/errors.ts', 'src/handover.ts'];
    const mayBeTypes = ({ to, typesOnly }: Import) =>
      typesOnly && (to === 'src/os/env.ts' || to === 'src/program.ts');
    expect(
      strangers(
        'src/testing',
        (entry) =>
          own.some((room) => entry.to.startsWith(room)) || pure.includes(entry.to) || mayBeTypes(entry),
      ),
    ).toEqual([]);
  });

  it('the inspector imports node, the journal, the machines’ types and two rooms’ readers; its page, only what is pure', () => {
    const readers = ['journal-reader', 'process-usage', 'processes'].map((name) => `src/os/${name}.ts`);
    const isPage = ({ from }: Import) => from.startsWith('src/inspector/page/');
    const isView = ({ from }: Import) => from.startsWith('src/inspector/view/');
    const allowed = (entry: Import) => {
      if (entry.typesOnly && entry.to.startsWith('machines/')) return true;
      if (isView(entry)) return entry.typesOnly && entry.to === 'src/journal/entry.ts';
      if (isPage(entry)) return entry.to === 'src/diagrams/arrow.ts' || entry.to === 'src/journal/entry.ts';
      const own = ['src/journal/entry.ts', 'src/journal/parse.ts', 'src/errors.ts', ...readers];
      return isNode(entry) || own.includes(entry.to);
    };
    expect(strangers('src/inspector', allowed)).toEqual([]);
  });

  it('only the operating system’s room, the worker and the command line reach for processes and sockets', () => {
    const doors = ['node:child_process', 'node:net', 'fs-ext'];
    const rooms = ['src/os/', 'src/worker/', 'src/adopt/', 'src/client/', 'src/cli/'];
    const reaching = importsIn('src').filter(
      ({ from, to, typesOnly }) =>
        doors.includes(to) && !typesOnly && !rooms.some((room) => from.startsWith(room)),
    );
    expect(reaching.map(text)).toEqual([]);
  });
});
