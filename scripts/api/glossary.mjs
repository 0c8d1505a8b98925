// Words that the events, orders and inputs of the machines share: explained once, and shown at each.
import { Comment, Converter, ReflectionKind } from 'typedoc';

const GLOSSARY = {
  type: 'Which event it is: the word that machines, logs, journals and diagrams use.',
  say: 'Which word it is, as it stands on the line.',
  kind: 'Which kind it is.',
  mode: 'Which kind it is.',
  atMs: 'When: milliseconds since 1970, on a clock that never jumps.',
  pid: 'The process it is about.',
  slot: 'The slot it is about, counted from 1; 0 for a standby, which has none.',
  place: 'The worker machine it is about, counted from 1 within its generation.',
  generation: 'The generation it is about, counted from 1.',
  channel: 'The stream to the worker process. Each process has its own, so that it names the process.',
  reason: "Why, as a word of a reload's verdict.",
  detail: 'Why, in one sentence for a person.',
  via: 'How it was asked for.',
};
/** Where these words mean the same wherever they stand. */
const FILES = [
  ...['events.ts', 'contracts.ts', 'anchor.ts', 'policy.ts'].map((name) => `machines/${name}`),
  'src/supervisor-logic.ts',
  'src/testing/happenings.ts',
];

/** @param {import('typedoc').Application} application */
export const load = (application) => {
  application.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const unused = new Set(Object.keys(GLOSSARY));
    for (const property of project.getReflectionsByKind(ReflectionKind.Property)) {
      const text = GLOSSARY[property.name];
      const file = project.getSymbolIdFromReflection(property)?.packagePath ?? '';
      if (text === undefined || property.hasComment() || !FILES.includes(file)) continue;
      property.comment = new Comment([{ kind: 'text', text }]);
      unused.delete(property.name);
    }
    for (const word of unused) application.logger.warn(`the glossary explains "${word}", which nobody uses`);
  });
};
