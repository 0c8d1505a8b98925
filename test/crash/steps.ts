/**
 * The matrix: at which steps of a hand-over who is struck how, and what must come of it.
 *
 * The expectations are those of the table in ARCHITECTURE.md ("The handoff").
 */
import type { Mode } from '../process/generations.js';

export const SLOTS = 2;

/** Which of the two generations comes to a step, and in which modes. As test/fixtures/stepped.mjs names them. */
export const STEPS = {
  /** The successor exists and has done nothing. */
  '1-started': { of: 'successor', modes: ['overlap', 'exclusive'] },
  /** All its workers exist, and none has said takeover. */
  '2-booting': { of: 'successor', modes: ['overlap', 'exclusive'] },
  /** Every slot is ready: it is about to ask. */
  '3-asking': { of: 'successor', modes: ['overlap', 'exclusive'] },
  /** The predecessor is about to say that its workers drain. */
  '4-draining': { of: 'predecessor', modes: ['exclusive'] },
  /** It is about to grant the takeover; in exclusive mode its workers are gone. */
  '4-granting': { of: 'predecessor', modes: ['overlap', 'exclusive'] },
  /** The successor is about to answer ok to its first worker. */
  '5-admitting': { of: 'successor', modes: ['overlap', 'exclusive'] },
  /** It has just taken the token. */
  '6-deciding': { of: 'successor', modes: ['overlap', 'exclusive'] },
  /** Pid file and control path are its own: it is about to say so. */
  '6-committing': { of: 'successor', modes: ['overlap', 'exclusive'] },
  /** The predecessor has heard it, and has done nothing yet. */
  '7-promoted': { of: 'predecessor', modes: ['overlap', 'exclusive'] },
  /** It is about to ask the first of its workers to leave. */
  '7-dismissing': { of: 'predecessor', modes: ['overlap'] },
  /** All is done: it is about to say that it stays as the anchor. */
  '7-leaving': { of: 'predecessor', modes: ['overlap', 'exclusive'] },
} as const satisfies Readonly<Record<string, { of: 'predecessor' | 'successor'; modes: readonly Mode[] }>>;

export type StepName = keyof typeof STEPS;

export type Role = 'predecessor' | 'successor' | 'old' | 'new';

export interface Victim {
  readonly role: Role;
  /** Of a worker; 0 for a supervisor. */
  readonly slot: number;
}

export type Strike = 'SIGKILL' | 'SIGSTOP';

export interface Cell {
  readonly mode: Mode;
  readonly step: StepName;
  readonly victim: Victim;
  readonly strike: Strike;
}

export interface Expectation {
  /** What `tanist reload` may say; more than one where two facts race, and both are the truth. */
  readonly verdicts: readonly string[];
  /** What the daemon says of this reload when all has come to rest, where that is something else. */
  readonly afterwards?: string;
}

/** Steps in their order, by the number in front: several of one number are parts of one step of the contract. */
const numberOf = (step: StepName): number => Number(step[0]);

/** From then on the client may have been told what became of the reload. */
export const isAfterVerdict = (step: StepName): boolean => numberOf(step) === 7;

/** What came before the grant, at which nothing is decided. */
const isBefore = (step: StepName, number: number): boolean => numberOf(step) < number;

/** From step 5 on workers of the successor may have served: it is not only refused. */
const lostAt = (step: StepName): string => (isBefore(step, 5) ? 'refused' : 'rolled-back');

const lostSuccessor = (step: StepName, strike: Strike): Expectation => {
  if (strike === 'SIGKILL') {
    // It had said that it is in charge, and that was the verdict: the predecessor comes back all the same.
    if (numberOf(step) === 7) return { verdicts: ['promoted'], afterwards: 'rolled-back: exited' };
    return { verdicts: [`${lostAt(step)}: exited`] };
  }
  // A supervisor in charge that hangs: its workers serve on, and nobody is there to judge it.
  if (numberOf(step) === 7) return { verdicts: ['promoted'] };
  return { verdicts: [`${lostAt(step)}: ${isBefore(step, 4) ? 'reload-timeout' : 'takeover-timeout'}`] };
};

const lostNewWorker = (step: StepName, strike: Strike): Expectation => {
  if (strike === 'SIGSTOP')
    return { verdicts: [step === '2-booting' ? 'refused: start-timeout' : 'promoted'] };
  // The successor has asked when it learns of the exit, and the grant may be on its way.
  if (step === '3-asking')
    return { verdicts: ['refused: worker-exited', 'rolled-back: worker-exited', 'promoted'] };
  return { verdicts: [isBefore(step, 5) ? 'refused: worker-exited' : 'promoted'] };
};

export const expectationOf = ({ step, victim, strike }: Cell): Expectation => {
  switch (victim.role) {
    case 'successor':
      return lostSuccessor(step, strike);
    case 'new':
      return lostNewWorker(step, strike);
    // The successor takes charge of what a predecessor cannot finish; and an old worker is replaced, or was leaving.
    default:
      return { verdicts: ['promoted'] };
  }
};

/** Whether the victim exists at that step. */
const exists = (mode: Mode, step: StepName, { role }: Victim): boolean => {
  if (role === 'new') return !isBefore(step, 2);
  if (role !== 'old') return true;
  if (step === '7-leaving') return false;
  return mode === 'overlap' || isBefore(step, 4) || step === '4-draining';
};

const victims: readonly Victim[] = [
  { role: 'predecessor', slot: 0 },
  { role: 'successor', slot: 0 },
  ...(['old', 'new'] as const).flatMap((role) =>
    Array.from({ length: SLOTS }, (_, index) => ({ role, slot: index + 1 })),
  ),
];

/** Every cell there is. */
export const allCells: readonly Cell[] = (['overlap', 'exclusive'] as const).flatMap((mode) =>
  (Object.keys(STEPS) as StepName[])
    .filter((step) => (STEPS[step].modes as readonly Mode[]).includes(mode))
    .flatMap((step) =>
      victims
        .filter((victim) => exists(mode, step, victim))
        .flatMap((victim) =>
          (['SIGKILL', 'SIGSTOP'] as const).map((strike) => ({ mode, step, victim, strike })),
        ),
    ),
);

/** What the entries of the table are about: the other parts differ by a message or two. */
const FEW_STEPS: readonly StepName[] = [
  '2-booting',
  '3-asking',
  '4-draining',
  '4-granting',
  '5-admitting',
  '6-deciding',
  '7-promoted',
];

/**
 * What the test suite plays: every entry of the table in ARCHITECTURE.md, in both modes, and the death of a new
 * worker at each of its steps. `npm run matrix` plays all.
 */
export const fewCells: readonly Cell[] = allCells.filter(
  ({ step, victim: { role, slot }, strike }) =>
    FEW_STEPS.includes(step) && (slot === 0 || (role === 'new' && slot === SLOTS && strike === 'SIGKILL')),
);

export const victimText = ({ role, slot }: Victim): string => (slot === 0 ? role : `${role} worker ${slot}`);

export const cellText = ({ mode, step, victim, strike }: Cell): string =>
  `${mode} ${step} ${strike} ${victimText(victim)}`;
