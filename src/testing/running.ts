import type { SimulatedProcess } from './process.js';

/** Whose code runs now. One world runs at a time: between two of its steps nobody does. */
export const running: { process: SimulatedProcess | null } = { process: null };
