import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../../src/config.js';
import { asTanistError, type TanistError } from '../../src/errors.js';
import { systemAccounts } from '../../src/os/accounts.js';
import type { Accounts } from '../../src/settings/account.js';
import type { SettingsContext } from '../../src/settings/run-directory.js';

const USERS = [
  { name: 'root', uid: 0, gid: 0, home: '/root' },
  { name: 'www', uid: 33, gid: 34, home: '/var/www' },
  // A name of digits is a name first, as for chown.
  { name: '500', uid: 1_500, gid: 1_501, home: '/home/500' },
];
const GROUPS = [
  { name: 'root', gid: 0 },
  { name: 'staff', gid: 50 },
];

const ACCOUNTS: Accounts = {
  user: (key) =>
    USERS.find(({ name }) => name === key) ?? USERS.find(({ uid }) => String(uid) === key) ?? null,
  group: (key) =>
    GROUPS.find(({ name }) => name === key) ?? GROUPS.find(({ gid }) => String(gid) === key) ?? null,
};

const CONTEXT: SettingsContext = {
  env: { HOME: '/home/ann', XDG_RUNTIME_DIR: '/run/user/1000' },
  cwd: '/srv',
  uid: 0,
  platform: 'linux',
  accounts: ACCOUNTS,
};

const resolved = (flags: Readonly<Record<string, string>>, context: Partial<SettingsContext> = {}) =>
  resolveSettings(
    {
      commandLine: new Map(Object.entries(flags).map(([flag, value]) => [flag, [value]])),
      command: 'web',
      args: [],
    },
    { ...CONTEXT, ...context },
  );

const refusal = (run: () => unknown): TanistError => {
  try {
    run();
  } catch (error) {
    return asTanistError(error);
  }
  throw new Error('nothing was refused');
};

describe('--user and --group', () => {
  it.each([
    [{ '--user': 'www' }, { user: 'www', uid: 33, gid: 34 }],
    [{ '--user': '33' }, { user: 'www', uid: 33, gid: 34 }],
    [
      { '--user': 'www', '--group': 'staff' },
      { user: 'www', uid: 33, gid: 50 },
    ],
    [
      { '--user': 'www', '--group': '50' },
      { user: 'www', uid: 33, gid: 50 },
    ],
    [
      { '--user': 'www', '--group': '777' },
      { user: 'www', uid: 33, gid: 777 },
    ],
    [
      { '--user': '777', '--group': 'staff' },
      { user: null, uid: 777, gid: 50 },
    ],
    [{ '--user': '500' }, { user: '500', uid: 1_500, gid: 1_501 }],
    [{ '--group': 'staff' }, { user: 'root', uid: 0, gid: 50 }],
    [{ '--user': 'root' }, { user: 'root', uid: 0, gid: 0 }],
  ])('%j is an account', (flags, account) => {
    expect(resolved(flags).settings.account).toEqual(account);
  });

  it('may be numbers in a program', () => {
    expect(resolveSettings({ command: 'web', user: 33, group: 50 }, CONTEXT).settings.account).toEqual({
      user: 'www',
      uid: 33,
      gid: 50,
    });
  });

  it('S18: of which the system knows none are told together with the other mistakes', () => {
    const error = refusal(() => resolved({ '--user': 'wwww', '--group': 'stuff', '--workers': '-1' }));
    expect(error.exitStatus).toBe(2);
    expect(error.message).toMatch(/^3 mistakes\n/);
    expect(error.message).toContain('--user "wwww": expected a user that this system knows');
    expect(error.message).toContain('--group "stuff": expected a group that this system knows');
    expect(error.message).toContain('--workers "-1"');
  });

  it('S18: are for root to ask for; for anybody else they are mistakes', () => {
    const error = refusal(() => resolved({ '--user': 'www', '--group': 'staff' }, { uid: 1000 }));
    expect(error.exitStatus).toBe(2);
    expect(error.message).toContain(
      '--user "www": expected root to start it: only root can change users, and this is user 1000',
    );
    expect(error.message).toContain('--group "staff": expected root to start it');
  });

  it('need a group where nothing says which a number has', () => {
    expect(refusal(() => resolved({ '--user': '777' })).message).toContain('or a group as well');
  });

  it.each(['', '-x', 'a:b', 'a/b', '..', 'a\nb', 'a\0b'])('are no names such as %j', (name) => {
    expect(refusal(() => resolved({ '--user': name })).message).toContain(
      'expected the name or the number of a user',
    );
    expect(refusal(() => resolved({ '--group': name })).message).toContain(
      'expected the name or the number of a group',
    );
  });

  it.each([-1, 1.5, 2 ** 32 - 1, true, null])('are no values such as %j in a program', (user) => {
    const options = { command: 'web', user: user as number };
    expect(refusal(() => resolveSettings(options, CONTEXT)).message).toContain(
      'expected the name or the number of a user',
    );
  });

  it('without a pid file has a directory of the user’s only for the log that nobody named', () => {
    const places = (flags: Readonly<Record<string, string>>) => {
      const { logFile, directory, ownDirectory } = resolved({
        '--user': 'www',
        '--no-pid-file': '',
        ...flags,
      });
      return [logFile, directory, ownDirectory];
    };
    expect(places({})).toEqual([null, null, null]);
    const own = '/run/tanist/www';
    expect(places({ '--daemonize': '' })).toEqual([`${own}/web.log`, own, own]);
    expect(places({ '--daemonize': '', '--log-file': '/var/log/w' })).toEqual(['/var/log/w', null, null]);
  });

  it('S11: a successor inherits them, and finds its files where root has them', () => {
    const flags = { '--user': 'www' };
    const first = resolved(flags);
    expect(resolved(flags, { uid: 33, isSuccessor: true })).toEqual(first);
    expect(first.settings.pidFile).toBe('/run/tanist/www/web.pid');
    expect(first.ownDirectory).toBe('/run/tanist/www');
  });

  it('have a directory of the user below the run directory, unless the pid file is named', () => {
    expect(resolved({ '--user': '33', '--run-dir': '/run/x' }).settings.pidFile).toBe('/run/x/www/web.pid');
    const numbered = resolved({ '--user': '777', '--group': '50', '--run-dir': '/run/x' });
    expect(numbered.settings.pidFile).toBe('/run/x/777/web.pid');
    const named = resolved({ '--user': 'www', '--pid-file': '/var/w.pid' });
    expect([named.settings.pidFile, named.ownDirectory]).toEqual(['/var/w.pid', null]);
    const group = resolved({ '--group': 'staff', '--run-dir': '/run/x' });
    expect([group.settings.pidFile, group.ownDirectory]).toEqual(['/run/x/web.pid', null]);
    expect(resolved({ '--user': 'www', '--daemonize': '', '--run-dir': '/x' }).logFile).toBe(
      '/x/www/web.log',
    );
  });

  it('give the workers the variables of that user, and of nobody where only the group changes', () => {
    expect(resolved({ '--user': 'www' }).surroundings.variables).toEqual({
      HOME: '/var/www',
      USER: 'www',
      LOGNAME: 'www',
    });
    expect(resolved({ '--user': '777', '--group': '50' }).surroundings.variables).toEqual({
      HOME: '/',
      USER: '777',
      LOGNAME: '777',
    });
    expect(resolved({ '--group': 'staff' }).surroundings.variables).toEqual({});
  });

  it('are not looked up where settings are judged apart from any system', () => {
    expect(resolved({ '--user': 'anybody' }, { accounts: null }).settings.account).toBeNull();
  });
});

describe('the users and groups of this system', () => {
  it('are found by name and by number', () => {
    expect(systemAccounts.user('root')).toMatchObject({ name: 'root', uid: 0, gid: 0 });
    expect(systemAccounts.user('0')).toEqual(systemAccounts.user('root'));
    expect(systemAccounts.group('0')).toMatchObject({ gid: 0 });
  });

  it('are not found where there are none', () => {
    expect(systemAccounts.user('no-such-user-here')).toBeNull();
    expect(systemAccounts.group('no-such-group-here')).toBeNull();
  });
});
