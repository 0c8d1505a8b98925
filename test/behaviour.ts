/**
 * The numbers of the reference behaviour (S) and of its defects (X): each is held by a test that carries it in its
 * name. X21 was never given.
 */
const numbered = (letter: 'S' | 'X', from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${letter}${from + index}`);

export const NUMBERS: readonly string[] = [
  ...numbered('S', 1, 41),
  ...numbered('X', 1, 20),
  ...numbered('X', 22, 23),
];

/** Numbers that no test can hold, and why. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  S36: 'a reload is asked of a machine, which takes requests in every state: there is no handler it could come from',
};

/** Numbers of which a part is held, and what is not yet there. */
export const PARTIAL: Readonly<Record<string, string>> = {};

/**
 * Numbers at the beginning of a test's name: `S14: …`, `X17, X3: …`, `S12–13: …`.
 *
 * @returns none if the name does not begin with a number.
 */
export const numbersOf = (name: string): readonly string[] => {
  const [, list] = /^([SX]\d+(?:–\d+)?(?:, [SX]\d+(?:–\d+)?)*): /.exec(name) ?? [];
  if (list === undefined) return [];
  return list.split(', ').flatMap((word) => {
    const [, letter = 'S', from = '', to = from] = /^([SX])(\d+)(?:–(\d+))?$/.exec(word) ?? [];
    return numbered(letter as 'S' | 'X', Number(from), Number(to));
  });
};

/**
 * Names of the tests in a source, as they are written: of `describe`, `it` and `test`.
 *
 * Behind `.each` and the like the name follows the table, which ends where the next call begins.
 */
export const namesIn = (source: string): readonly string[] => {
  const calls =
    /^[ \t]*(?:describe|it|test)(?:\.(?!each|for|skipIf|runIf)\w+)*(?:\.(?:each|for|skipIf|runIf)\b[\s\S]*?\))?\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gm;
  return [...source.matchAll(calls)].map(([, , name = '']) => name);
};
