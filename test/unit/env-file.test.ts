import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseEnvFile } from '../../src/settings/env-file.js';

const valuesOf = (text: string): Record<string, string> => {
  const { values, mistakes } = parseEnvFile(text);
  expect(mistakes).toEqual([]);
  return { ...values };
};

describe('an environment file', () => {
  it.each([
    ['nothing', '', {}],
    ['blank lines and comments', '\n# A=1\n  # B=2\n\n', {}],
    ['a value', 'A=1', { A: '1' }],
    ['an empty value', 'A=\nB=', { A: '', B: '' }],
    ['spaces around name and value', '  A = two words \t\nB=\t2', { A: 'two words', B: '2' }],
    ['the word export', 'export A=1\nexport  B=2\nexport=3', { A: '1', B: '2', export: '3' }],
    ['a value with an equals sign', 'A=b=c==', { A: 'b=c==' }],
    ['a comment behind a value', 'A=1 # one\nB= # none\nC="x"# c', { A: '1', B: '', C: 'x' }],
    ['an apostrophe within a value', "A=it's", { A: "it's" }],
    ['single quotes', "A=' $x \\n # \" '", { A: ' $x \\n # " ' }],
    ['backquotes', 'A=`"\'`', { A: '"\'' }],
    ['double quotes, with their one escape', 'A=" a\\nb\\tc "', { A: ' a\nb\\tc ' }],
    ['a value of several lines', 'A="one  \n  two\n\nfour"\nB=2', { A: 'one  \n  two\n\nfour', B: '2' }],
    ['an empty value in quotes', 'A=""', { A: '' }],
    ['line breaks of other systems', 'A=1\r\nB="x\r\ny"\r\n', { A: '1', B: 'x\ny' }],
    ['a byte order mark', '\ufeffA=1', { A: '1' }],
    ['other alphabets', 'A=größe 日本', { A: 'größe 日本' }],
    ['dots and dashes in a name', 'a.b-c_1=x', { 'a.b-c_1': 'x' }],
    ['the same name twice: the last counts', 'A=1\nA=2', { A: '2' }],
    ['a name that every object has', '__proto__=1\nconstructor=2', { ['__proto__']: '1', constructor: '2' }],
  ])('may have %s', (_, text, expected) => {
    expect(Object.entries(valuesOf(text))).toEqual(Object.entries(expected));
  });

  it.each([
    ['a line without an equals sign', 'FOO', 1, /^expected NAME=value, not "FOO"$/],
    ['export without a value', 'A=1\nexport A', 2, /^expected NAME=value, not "export A"$/],
    ['no name', '=1', 1, /a name of letters, digits and underscores before the "=", not ""/],
    ['a name with a space', 'A B=1', 1, /not "A B"/],
    ['a name that starts with a digit', '\n\n1A=1', 3, /not "1A"/],
    ['a quote that is never closed', 'A=1\nB="x\nC=3', 2, /^a value that starts with ": expected the same/],
    ['words after the closing quote', "A='x'y", 1, /^more text after the closing quote/],
    ['an escaped quote', 'A="a\\"b"', 1, /a quote cannot be escaped/],
    ['a # that may be a comment or not', 'A=pass#word', 1, /^a # in a value without quotes/],
    ['a # at the very start of a value', 'A=#fff', 1, /^a # in a value without quotes/],
    ['a zero character', 'A=a\0b', 1, /without zero characters/],
    ['a variable of ours', 'TANIST_CHANNEL_FD=3', 1, /another name than TANIST_CHANNEL_FD/],
    ['any name of ours', 'TANIST_NEW=3', 1, /another name than TANIST_NEW/],
    ['a variable of the listeners', 'LISTEN_FDS=3', 1, /another name than LISTEN_FDS/],
    ["Server::Starter's variable", 'SERVER_STARTER_PORT=80=3', 1, /another name than SERVER_STARTER_PORT/],
  ])('must not have %s', (_, text, line, message) => {
    expect(parseEnvFile(text).mistakes).toEqual([{ line, message: expect.stringMatching(message) }]);
  });

  it('may name what only looks like a variable of the listeners', () => {
    expect(valuesOf('LISTEN_ADDRESS=0.0.0.0')).toEqual({ LISTEN_ADDRESS: '0.0.0.0' });
  });

  it('with several mistakes has all of them told, with their lines, also behind a value of several lines', () => {
    const { mistakes, values } = parseEnvFile('A\nB="1\n2"\n=\nC=3\nD=x#y');
    expect(mistakes.map(({ line }) => line)).toEqual([1, 4, 6]);
    expect({ ...values }).toEqual({ B: '1\n2', C: '3' });
  });

  it('that is wrong has no secret told at length', () => {
    const secret = 'x'.repeat(200);
    expect(parseEnvFile(secret).mistakes[0]?.message.length).toBeLessThan(60);
  });
});

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/);
const text = fc.stringMatching(/^[ -~äß\n]{0,20}$/);
const without = (...letters: string[]) =>
  text.map((value) => letters.reduce((rest, letter) => rest.replaceAll(letter, ''), value));
const value = fc.oneof(
  without('\n', '#', '"', "'", '`'),
  without("'").map((inner) => `'${inner}'`),
  without('`').map((inner) => `\`${inner}\``),
  without('"').map((inner) => `"${inner}"`),
);
const line = fc.oneof(
  fc.tuple(name, value, fc.constantFrom('', ' # note')).map(([key, raw, note]) => `${key}=${raw}${note}`),
  fc.tuple(name, value).map(([key, raw]) => `export ${key} = ${raw}`),
  // Not a line of spaces: Node's reader (20.20) takes it for the beginning of the next name.
  fc.constantFrom('', '# a comment'),
);

test('whatever is accepted means the same to the reader that comes with Node', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      const { values, mistakes } = parseEnvFile(lines.join('\n'));
      if (mistakes.length > 0) return;
      accepted += 1;
      expect({ ...values }).toEqual({ ...parseEnv(lines.join('\n')) });
    }),
    { numRuns: 2_000 },
  );
  expect(accepted).toBeGreaterThan(500);
});

test('nothing that is written makes the reader throw, and every mistake is in a line of the text', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string({ unit: 'binary' })), { maxLength: 8 }), (lines) => {
      const whole = lines.join('\n');
      for (const mistake of parseEnvFile(whole).mistakes) {
        expect(mistake.line).toBeGreaterThanOrEqual(1);
        expect(mistake.line).toBeLessThanOrEqual(whole.split('\n').length);
      }
    }),
  );
});
