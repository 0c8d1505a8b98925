/**
 * `user` and `group`: whom supervisor and workers run as.
 */
import type { Account } from '../../machines/policy.js';
import type { Values } from './fields.js';
import type { Given } from './given.js';
import { type Mistake, type Reader, wrongValue } from './mistake.js';
import type { SettingsContext } from './run-directory.js';
import type { Schema } from './schemas.js';

export interface UserEntry {
  readonly name: string;
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
  readonly home: string;
}

export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
}

/** The users and groups of a system, by name or number. */
export interface Accounts {
  user(key: string): UserEntry | null;
  group(key: string): GroupEntry | null;
}

/** The largest number there is: 2^32 - 1 means "leave it as it is" to the kernel. */
const MOST = 2 ** 32 - 2;
const ROOT = '0';

const isNumber = (key: string): boolean => /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) <= MOST;

/** Also the name of a directory, and a field of /etc/passwd. */
const isWord = (raw: string): boolean =>
  raw !== '.' && raw !== '..' && /^[^-:/\p{Cc}][^:/\p{Cc}]{0,255}$/u.test(raw);

/** A name, or a number in words or as a number. */
export const accountReader =
  (what: 'user' | 'group'): Reader<string> =>
  (raw, written) => {
    if (!written && Number.isInteger(raw) && isNumber(String(raw))) return { value: String(raw) };
    return typeof raw === 'string' && isWord(raw)
      ? { value: raw }
      : { expected: `the name or the number of a ${what}` };
  };

export const accountSchema: Schema = {
  anyOf: [
    { type: 'string', pattern: '^(?!\\.{1,2}$)[^\\-:/\\p{Cc}][^:/\\p{Cc}]{0,255}$' },
    { type: 'integer', minimum: 0, maximum: MOST },
  ],
};

export interface AccountReading {
  readonly account: Account | null;
  /** What programs ask their environment for to know whom they run as. */
  readonly variables: Readonly<Record<string, string>>;
  readonly mistakes: readonly Mistake[];
}

const NOBODY_ELSE: AccountReading = { account: null, variables: {}, mistakes: [] };

/** Looks both up; only root may ask for any, and a successor of whom root has started. */
export const readAccount = (given: Given, values: Values, context: SettingsContext): AccountReading => {
  const { accounts, uid, isSuccessor } = context;
  const { user, group } = values;
  // Where settings are judged apart from the system they are for, names are as good as others.
  if (accounts === null || (user === undefined && group === undefined)) return NOBODY_ELSE;
  const mistakes: Mistake[] = [];
  const wrong = (key: 'user' | 'group', expected: string) =>
    mistakes.push(wrongValue(given.spell(key), given.value(key), expected));
  if (uid !== 0 && isSuccessor !== true)
    for (const key of ['user', 'group'] as const)
      if (values[key] !== undefined)
        wrong(key, `root to start it: only root can change users, and this is user ${uid}`);
  const entry = accounts.user(user ?? ROOT);
  if (user !== undefined && entry === null) {
    if (!isNumber(user)) wrong('user', 'a user that this system knows');
    else if (group === undefined)
      wrong('user', 'a user that this system knows, or a group as well: nothing says which this number has');
  }
  const wanted = group === undefined ? null : accounts.group(group);
  if (group !== undefined && wanted === null && !isNumber(group))
    wrong('group', 'a group that this system knows');
  if (mistakes.length > 0) return { ...NOBODY_ELSE, mistakes };
  const number = entry?.uid ?? Number(user ?? ROOT);
  return {
    account: { user: entry?.name ?? null, uid: number, gid: wanted?.gid ?? Number(group ?? entry?.gid) },
    variables: user === undefined ? {} : variablesOf(entry, number),
    mistakes,
  };
};

/** As a service manager sets them. */
const variablesOf = (entry: UserEntry | null, uid: number): Readonly<Record<string, string>> => {
  const name = entry?.name ?? String(uid);
  return { HOME: entry?.home || '/', USER: name, LOGNAME: name };
};

/** As an operator reads it. */
export const accountText = (account: Account | null): string =>
  account === null
    ? 'whoever starts it'
    : `${account.user ?? 'user'} (uid ${account.uid}, gid ${account.gid})`;
