/**
 * The JSON Schema of configuration files, from the tables of settings and options: what is added there is in it.
 */
import { FILE_KEYS } from '../settings/fields.js';
import { commandSpec } from '../words/command-table.js';

/** For keys that no option has. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  command: 'The program of the workers: a path, or a name to look up in PATH.',
  args: 'Its arguments, given to it unchanged.',
};

const descriptionOf = (key: string, flag: string | undefined): string => {
  const spec = commandSpec('run')?.options.find((option) => option.flag === flag);
  if (spec === undefined) return DESCRIPTIONS[key] ?? '';
  return spec.fallback === undefined ? spec.doc : `${spec.doc} Default: ${spec.fallback}.`;
};

/** The schema as plain data, ready to be written as JSON. */
export const configSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'tanist run --config',
  description: 'Settings of a tanist supervisor. What the command line says wins, key by key.',
  type: 'object',
  additionalProperties: false,
  properties: {
    $schema: { type: 'string', description: 'Where an editor finds this schema.' },
    ...Object.fromEntries(
      FILE_KEYS.map(({ key, flag, schema }) => [key, { description: descriptionOf(key, flag), ...schema }]),
    ),
  },
});
