/**
 * Users and groups of this system: the files first, and `getent` for those that only a directory service knows.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Accounts, GroupEntry, UserEntry } from '../settings/account.js';

/** A directory service that does not answer must not hold up a start for ever. */
const GETENT_TIMEOUT_MS = 10_000;

type Table = 'passwd' | 'group';

const fieldsOf = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));

const fileLines = (table: Table): string => {
  try {
    return readFileSync(`/etc/${table}`, 'utf8');
  } catch {
    // A system without the file has another way to know its users.
    return '';
  }
};

/** What the system's own look-up says; nothing where it is not installed (macOS) or knows no such entry. */
const getentLines = (table: Table, key: string): string => {
  const { stdout, status } = spawnSync('getent', [table, key], {
    encoding: 'utf8',
    timeout: GETENT_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? stdout : '';
};

/** By name, and if there is none of that name, by number: as chown(1) has it. Numbers are the third field of both. */
const find = (text: string, key: string): readonly string[] | null => {
  const entries = fieldsOf(text);
  return entries.find(([name]) => name === key) ?? entries.find((fields) => fields[2] === key) ?? null;
};

const entryOf = (table: Table, key: string): readonly string[] | null =>
  find(fileLines(table), key) ?? find(getentLines(table, key), key);

const userOf = ([name = '', , uid, gid, , home = '']: readonly string[]): UserEntry => ({
  name,
  uid: Number(uid),
  gid: Number(gid),
  home,
});

const groupOf = ([name = '', , gid]: readonly string[]): GroupEntry => ({ name, gid: Number(gid) });

export const systemAccounts: Accounts = {
  user: (key) => {
    const entry = entryOf('passwd', key);
    return entry && userOf(entry);
  },
  group: (key) => {
    const entry = entryOf('group', key);
    return entry && groupOf(entry);
  },
};
