/**
 * What a value in a configuration file may be, as JSON Schema: the fragment of each field stands beside its reader.
 *
 * A schema never refuses what the reader accepts. It may accept what only the reader can judge: the length of a
 * name in bytes, a path that the system does not take, an address.
 */
import { constants } from 'node:os';
import { MAX_DURATION_MS } from '../../machines/policy.js';

/** A JSON Schema (draft 2020-12), as plain data. */
export type Schema = Readonly<Record<string, unknown>>;

export const switchSchema: Schema = { type: 'boolean' };

/** No zero character: the system ends every word there. */
export const wordSchema: Schema = { type: 'string', pattern: '^[^\\u0000]*$' };

export const pathSchema: Schema = { type: 'string', minLength: 1, pattern: '^[^\\u0000]+$' };

/** A path whose last part is a name. */
export const filePathSchema: Schema = {
  type: 'string',
  pattern: '^(?!([^\\u0000]*/)?\\.{0,2}$)[^\\u0000]+$',
};

export const choiceSchema = (...choices: readonly string[]): Schema => ({ enum: choices });

/** Whole milliseconds up to 24 h. */
export const durationSchema = (leastMs: 0 | 1): Schema => ({
  type: 'integer',
  minimum: leastMs,
  maximum: MAX_DURATION_MS,
});

/** One, or a list of them. */
export const listSchema = (item: Schema): Schema => ({ anyOf: [item, { type: 'array', items: item }] });

export const nameSchema: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  pattern: '^(?!\\.{1,2}$)[^/\\p{Cc}]*$',
};

export const wholeNumberSchema = (least: number, most: number): Schema => ({
  type: 'integer',
  minimum: least,
  maximum: most,
});

export const workersSchema = (most: number): Schema => ({
  anyOf: [wholeNumberSchema(1, most), { const: 'auto' }],
});

export const standbySchema = (most: number): Schema => wholeNumberSchema(0, most);

const WRITTEN_DURATION = '\\d+(\\.\\d+)?(ms|s|m|h)';

const httpSchema: Schema = {
  type: 'object',
  required: ['mode', 'path'],
  properties: { mode: { const: 'http' }, path: { type: 'string', pattern: '^/[!-~]*$' } },
};

export const healthSchema: Schema = {
  anyOf: [{ type: 'string', pattern: '^http=/[!-~]*$' }, httpSchema],
};

export const readinessSchema: Schema = {
  anyOf: [
    { type: 'string', pattern: `^(takeover|http=/[!-~]*|alive=${WRITTEN_DURATION})$` },
    { type: 'object', required: ['mode'], properties: { mode: { const: 'takeover' } } },
    httpSchema,
    {
      type: 'object',
      required: ['mode', 'forMs'],
      properties: { mode: { const: 'alive' }, forMs: durationSchema(1) },
    },
  ],
};

export const respawnLimitSchema = (most: number): Schema => ({
  anyOf: [
    { type: 'string', pattern: `^\\d{1,9}/${WRITTEN_DURATION}$` },
    {
      type: 'object',
      required: ['count', 'withinMs'],
      properties: { count: wholeNumberSchema(0, most), withinMs: durationSchema(1) },
    },
    { type: 'null' },
  ],
});

/** The signals of the system it is generated on: the readers know those of the system they run on. */
export const signalSchema = (others: readonly string[]): Schema => ({
  enum: Object.keys(constants.signals).filter((name) => !others.includes(name)),
});

/** A number of bytes, or text with a unit. */
export const sizeSchema = (leastBytes: number): Schema => ({
  anyOf: [
    wholeNumberSchema(leastBytes, Number.MAX_SAFE_INTEGER),
    { type: 'string', pattern: '^\\d+(\\.\\d+)?\\s?([kKmMgGtT][iI]?)?[bB]$' },
  ],
});

/** A literal address with a port, or a port. */
export const pageSchema: Schema = {
  anyOf: [{ type: 'boolean' }, { type: 'string', pattern: '^(([0-9.]+|\\[[0-9a-fA-F:.]+\\]):)?\\d{1,5}$' }],
};

export const umaskSchema: Schema = { type: 'string', pattern: '^0?[0-7]{1,3}$' };

const LISTEN_NAME = '([A-Za-z0-9._-]{1,64}=)?';
const LISTEN_ADDRESS =
  '(\\d{1,5}|[0-9.]+:\\d{1,5}|\\[[0-9a-fA-F:.]+\\]:\\d{1,5}|fd:\\d{1,7}|unix:[^\\u0000]*[^\\u0000/])';

export const listenSchema: Schema = {
  type: 'string',
  pattern: `^(systemd|${LISTEN_NAME}${LISTEN_ADDRESS})$`,
};
