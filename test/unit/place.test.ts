/**
 * Where the files of a supervisor are, of all that may be said about it.
 */
import { describe, expect, it, test } from 'vitest';
import { resolveSettings, type SupervisorOptions } from '../../src/config.js';
import { TanistError } from '../../src/errors.js';
import type { SettingsContext } from '../../src/settings/run-directory.js';

const CONTEXT: SettingsContext = {
  env: { HOME: '/home/ann' },
  cwd: '/srv',
  uid: 1000,
  platform: 'linux',
  accounts: null,
};
const HOMELESS: SettingsContext = { ...CONTEXT, env: {} };

type Flags = Readonly<Record<string, string>>;

const placed = (flags: Flags, file: Readonly<Record<string, unknown>> = {}, context = CONTEXT) => {
  const commandLine = new Map(Object.entries(flags).map(([flag, value]) => [flag, [value]]));
  const configFile = { path: '/etc/web.json', values: file };
  const input = { commandLine, command: 'web.js', args: [], configFile };
  const { settings, logFile, directory } = resolveSettings(input, context);
  return { pidFile: settings.pidFile, control: settings.control, logFile, directory };
};

const refusal = (run: () => unknown): readonly string[] => {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof TanistError) return thrown.problems.map(({ message }) => message);
    throw thrown;
  }
  throw new Error('nothing was refused');
};

describe('without a pid file', () => {
  it('there is no control socket either, and no directory is made', () => {
    expect(placed({ '--no-pid-file': '' })).toEqual({
      pidFile: null,
      control: null,
      logFile: null,
      directory: null,
    });
  });

  it('nothing has to say where a run directory would be', () => {
    expect(placed({ '--no-pid-file': '' }, {}, HOMELESS).pidFile).toBeNull();
    expect(refusal(() => placed({}, {}, HOMELESS))[0]).toMatch(/^--run-dir: expected a directory/);
  });

  it('there is a control socket where one is named', () => {
    expect(placed({ '--no-pid-file': '', '--control': 'run/web.sock' })).toMatchObject({
      pidFile: null,
      control: '/srv/run/web.sock',
      directory: null,
    });
  });

  it('a daemon’s log is where it would be with one, and only that directory is made', () => {
    expect(placed({ '--no-pid-file': '', '--daemonize': '' })).toMatchObject({
      logFile: '/home/ann/.local/state/tanist/web.log',
      directory: '/home/ann/.local/state/tanist',
    });
    expect(placed({ '--no-pid-file': '', '--daemonize': '', '--log-file': 'x.log' })).toMatchObject({
      logFile: '/srv/x.log',
      directory: null,
    });
    expect(refusal(() => placed({ '--no-pid-file': '', '--daemonize': '' }, {}, HOMELESS))).toEqual([
      expect.stringMatching(/^--daemonize: expected a log file, or a directory/),
    ]);
  });

  it('one may not be named as well, in whatever words', () => {
    const message = '--no-pid-file and --pid-file "x.pid": expected only one of them';
    expect(refusal(() => placed({ '--no-pid-file': '', '--pid-file': 'x.pid' }))).toEqual([message]);
    expect(refusal(() => placed({}, { noPidFile: true, pidFile: 'x.pid' }))).toEqual([
      '/etc/web.json: noPidFile and /etc/web.json: pidFile "x.pid": expected only one of them',
    ]);
    const options: SupervisorOptions = { command: 'web.js', noPidFile: true, pidFile: 'x.pid' };
    expect(refusal(() => resolveSettings(options, CONTEXT))).toEqual([
      'noPidFile and pidFile "x.pid": expected only one of them',
    ]);
  });

  it('the command line wins over a file that says the opposite', () => {
    expect(placed({ '--pid-file': 'x.pid' }, { noPidFile: true }).pidFile).toBe('/srv/x.pid');
    expect(placed({ '--no-pid-file': '' }, { pidFile: 'x.pid' }).pidFile).toBeNull();
  });

  it.each(['yes', 1, null])('it is not said with %j', (noPidFile) => {
    const options = { command: 'web.js', noPidFile } as unknown as SupervisorOptions;
    expect(refusal(() => resolveSettings(options, CONTEXT))[0]).toMatch(/^noPidFile .*true or false/);
  });
});

describe('a control socket', () => {
  it('is beside the pid file unless it is named', () => {
    expect(placed({ '--pid-file': 'run/web.pid' }).control).toBe('/srv/run/web.sock');
    expect(placed({ '--pid-file': 'run/web.pid', '--control': '/tmp/c' })).toMatchObject({
      pidFile: '/srv/run/web.pid',
      control: '/tmp/c',
      directory: '/srv/run',
    });
  });

  it.each(['', '.', '/tmp/', 'a\0b'])('is not at %j', (path) => {
    expect(refusal(() => placed({ '--control': path }))[0]).toMatch(
      /^--control .*expected the path of a file/,
    );
  });

  it('has a path that the system takes, with a temporary name', () => {
    expect(placed({ '--control': `/${'x'.repeat(90)}` }).control).toHaveLength(91);
    expect(refusal(() => placed({ '--control': `/${'x'.repeat(91)}` }))).toEqual([
      expect.stringMatching(/^--control .*expected a socket path of at most 91 bytes, not 92/),
    ]);
  });
});

test('private sockets beside a pid file must fit as well when the control socket is elsewhere', () => {
  const flags = { '--pid-file': `/${'d'.repeat(100)}.pid`, '--control': '/tmp/c' };
  expect(refusal(() => placed(flags))).toEqual([
    expect.stringMatching(/^--pid-file .*a socket beside it, .*at most 91 bytes/),
  ]);
});
