/**
 * Numbers as OpenMetrics has them: families of samples, as text.
 */
import { BOUNDS_MS, type Histogram } from '../../machines/counters.js';

export const CONTENT_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

export type Labels = Readonly<Record<string, string | number>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

interface Named {
  /** Without the suffix of its samples. */
  readonly name: string;
  readonly help: string;
  /** The end of the name, where it has one. */
  readonly unit?: 'seconds' | 'bytes';
}

export type Family =
  | (Named & { readonly type: 'gauge' | 'counter'; readonly samples: readonly Sample[] })
  | (Named & { readonly type: 'info'; readonly labels: Labels })
  /** One of several states is true. */
  | (Named & { readonly type: 'stateset'; readonly states: readonly string[]; readonly current: string })
  | (Named & { readonly type: 'histogram'; readonly histogram: Histogram });

const quoted = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

const labelsText = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${quoted(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

const sampleText = (name: string, { labels = {}, value }: Sample): string =>
  `${name}${labelsText(labels)} ${value}`;

const SECOND_MS = 1_000;

const bucketTexts = (name: string, { counts, sumMs }: Histogram): readonly string[] => {
  let total = 0;
  const buckets = counts.map((count, index) => {
    total += count;
    const bound = BOUNDS_MS[index];
    const le = bound === undefined ? '+Inf' : (bound / SECOND_MS).toFixed(3).replace(/(\.\d+?)0+$/, '$1');
    return sampleText(`${name}_bucket`, { labels: { le }, value: total });
  });
  return [
    ...buckets,
    sampleText(`${name}_count`, { value: total }),
    sampleText(`${name}_sum`, { value: sumMs / SECOND_MS }),
  ];
};

const sampleTexts = (family: Family): readonly string[] => {
  const { name } = family;
  switch (family.type) {
    case 'gauge':
      return family.samples.map((sample) => sampleText(name, sample));
    case 'counter':
      return family.samples.map((sample) => sampleText(`${name}_total`, sample));
    case 'info':
      return [sampleText(`${name}_info`, { labels: family.labels, value: 1 })];
    case 'stateset':
      return family.states.map((state) =>
        sampleText(name, { labels: { [name]: state }, value: state === family.current ? 1 : 0 }),
      );
    case 'histogram':
      return bucketTexts(name, family.histogram);
  }
};

const familyText = (family: Family): string => {
  const { name, type, unit, help } = family;
  const head = [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${quoted(help)}`,
  ];
  return [...head, ...sampleTexts(family), ''].join('\n');
};

/** The whole text, with its end. */
export const exposition = (families: readonly Family[]): string =>
  `${families.map(familyText).join('')}# EOF\n`;
