/**
 * What one run tries against an exclusive daemon: all of it follows from the seed.
 */
import { Choices } from 'tanist/testing';
import { STEPS, type StepName } from './steps.js';

/** As test/fixtures/active.pl knows them. */
const MANNERS = ['good', 'deaf', 'frozen', 'crowded', 'deaf+crowded', 'frozen+crowded'] as const;
type Manners = (typeof MANNERS)[number];

export type Struck = 'nobody' | 'predecessor' | 'successor' | 'both';

export interface Plan {
  readonly seed: number;
  /** Of the workers of generation 1 and of those after it. */
  readonly manners: readonly Manners[];
  /** The step of a reload at which somebody is killed; null: there is no reload when the supervisor is killed. */
  readonly step: StepName | null;
  readonly struck: Struck;
  /** A worker of generation 1 is stopped at that moment. */
  readonly stopsWorker: boolean;
  /** Workers that are stopped are woken so long after it, and again and again. */
  readonly wakesAfterMs: number;
}

const MOST_WAKE_MS = 1_000;

/** The end of a reload is decided by step 7: what is killed there changes nothing for the workers. */
const steps = (Object.keys(STEPS) as StepName[]).filter((step) =>
  (STEPS[step].modes as readonly string[]).includes('exclusive'),
);

export const planOf = (seed: number): Plan => {
  const choices = new Choices(seed);
  const pick = <Item>(topic: string, items: readonly [Item, ...Item[]]): Item =>
    items[choices.below(topic, items.length)] ?? items[0];
  const isCold = choices.chance('cold', 0.25);
  return {
    seed,
    manners: [pick('old manners', MANNERS), pick('new manners', MANNERS)],
    step: isCold ? null : pick('step', steps as [StepName, ...StepName[]]),
    struck: isCold
      ? 'both'
      : pick('struck', ['predecessor', 'predecessor', 'successor', 'both', 'nobody'] as const),
    stopsWorker: choices.chance('stops', 0.3),
    wakesAfterMs: choices.below('wakes', MOST_WAKE_MS),
  };
};

export const planText = ({ seed, manners, step, struck, stopsWorker, wakesAfterMs }: Plan): string =>
  [
    `seed ${seed}: ${manners.join(', then ')}`,
    step === null ? 'the supervisor is killed, cold start' : `${step}: ${struck} killed`,
    ...(stopsWorker ? ['a worker is stopped'] : []),
    `woken after ${wakesAfterMs} ms`,
  ].join('; ');
