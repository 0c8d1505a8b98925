/**
 * A strict reader of OpenMetrics 1.0 text: it throws at the first thing that is not as the standard has it.
 */

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NUMBER = /^(?:[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;
const LABEL = /^([^=]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

/** Which samples a family of that type has, by what follows its name. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  gauge: [''],
  counter: ['_total', '_created'],
  info: ['_info'],
  stateset: [''],
  histogram: ['_bucket', '_count', '_sum', '_created'],
};

const check = (isRight: boolean, problem: string): void => {
  if (!isRight) throw new Error(`no OpenMetrics: ${problem}`);
};

const numberOf = (text: string): number => {
  check(NUMBER.test(text), `${JSON.stringify(text)} is no number`);
  return Number(text.replace('Inf', 'Infinity'));
};

const labelsOf = (text: string): Record<string, string> => {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== ''; ) {
    const [whole, name = '', value = ''] = LABEL.exec(rest) ?? [];
    check(whole !== undefined, `${rest} are no labels`);
    check(LABEL_NAME.test(name), `${name} is no name of a label`);
    check(!Object.hasOwn(labels, name), `the label ${name} is there twice`);
    labels[name] = value.replace(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one));
    rest = rest.slice(whole?.length);
    check(rest !== '' || !whole?.endsWith(','), 'a comma ends the labels');
  }
  return labels;
};

const sampleOf = (line: string): ParsedSample => {
  const [, name = '', , labels = '', value = ''] = /^([^{ ]+)(\{(.*)\})? (\S+)$/.exec(line) ?? [];
  check(NAME.test(name), `${JSON.stringify(line)} is no sample`);
  return { name, labels: labelsOf(labels), value: numberOf(value) };
};

const checkBuckets = ({ name, samples }: ParsedFamily): void => {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) => numberOf(labels.le ?? ''));
  check(bounds.at(-1) === Number.POSITIVE_INFINITY, `${name} has no last bucket`);
  for (const { labels } of buckets) check(/\.|Inf/.test(labels.le ?? ''), `le ${labels.le} is not canonical`);
  for (const [index, bucket] of buckets.slice(1).entries()) {
    check((bounds[index] ?? 0) < (bounds[index + 1] ?? 0), `buckets of ${name} are out of order`);
    check((buckets[index]?.value ?? 0) <= bucket.value, `buckets of ${name} do not add up`);
  }
  const count = samples.find((sample) => sample.name === `${name}_count`)?.value;
  check(count === buckets.at(-1)?.value, `${name}_count is not the last bucket`);
  check(
    samples.some((sample) => sample.name === `${name}_sum`),
    `${name} has no sum`,
  );
};

const checkFamily = (family: ParsedFamily): void => {
  const { name, type, unit, samples } = family;
  const suffixes = SUFFIXES[type];
  check(suffixes !== undefined, `${name} has the unknown type ${type}`);
  check(unit === '' || name.endsWith(`_${unit}`), `${name} does not end with its unit ${unit}`);
  const seen = new Set<string>();
  for (const sample of samples) {
    const suffix = sample.name.slice(name.length);
    check(sample.name.startsWith(name), `${sample.name} does not belong to ${name}`);
    check(suffixes?.includes(suffix) === true, `${sample.name} is no sample of a ${type}`);
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    check(!seen.has(key), `${key} is there twice`);
    seen.add(key);
    if (type === 'counter') check(sample.value >= 0, `${sample.name} is negative`);
    if (type === 'info') check(sample.value === 1, `${sample.name} is not 1`);
    if (type === 'stateset') {
      check(sample.value === 0 || sample.value === 1, `${sample.name} is neither 0 nor 1`);
      check(Object.hasOwn(sample.labels, name), `${sample.name} has no label of its own name`);
    }
  }
  if (type === 'histogram') checkBuckets(family);
};

export const parseOpenMetrics = (text: string): readonly ParsedFamily[] => {
  check(text.endsWith('# EOF\n'), 'it does not end with # EOF');
  check(!text.includes('\r'), 'it has carriage returns');
  const families: { name: string; type: string; unit: string; help: string; samples: ParsedSample[] }[] = [];
  const lines = text.slice(0, -'# EOF\n'.length).split('\n');
  check(lines.pop() === '', 'a line is not ended');
  for (const line of lines) {
    const [, kind, name = '', rest = ''] = /^# (TYPE|UNIT|HELP) (\S+) (.*)$/.exec(line) ?? [];
    const current = families.at(-1);
    if (kind === 'TYPE') {
      check(NAME.test(name), `${name} is no name`);
      check(!families.some((family) => family.name === name), `${name} is there twice`);
      families.push({ name, type: rest, unit: '', help: '', samples: [] });
      continue;
    }
    check(current !== undefined, `${line} belongs to nothing`);
    if (current === undefined) continue;
    if (kind === undefined) {
      check(!line.startsWith('#'), `${line} is no comment of the standard`);
      current.samples.push(sampleOf(line));
      continue;
    }
    check(name === current.name && current.samples.length === 0, `${line} is in the wrong place`);
    if (kind === 'UNIT') current.unit = rest;
    else current.help = rest;
  }
  for (const family of families) checkFamily(family);
  return families;
};

/** The value of the sample with that name and those labels; undefined for none. */
export const sampleValue = (
  families: readonly ParsedFamily[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined =>
  families
    .flatMap(({ samples }) => samples)
    .find(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )?.value;
