/**
 * How many inputs each fuzz test tries, and from which seed: `FUZZ_RUNS` and `FUZZ_SEED` change them.
 */
import fc from 'fast-check';

const numberFrom = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);

/** More than 100,000 inputs over all of test/fuzz by default; a failure prints its seed and its least input. */
export const FUZZ = {
  seed: numberFrom('FUZZ_SEED', 20_261_125),
  numRuns: numberFrom('FUZZ_RUNS', 15_000),
} as const;

/** Bytes that mean something here, bytes that mean nothing, and everything between. */
export const hostileBytes = (words: readonly string[], maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc
    .array(
      fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...words).map((word) => Buffer.from(word)) },
        { weight: 2, arbitrary: fc.constantFrom('\n', '\r\n', '\0', ' ').map((one) => Buffer.from(one)) },
        { weight: 2, arbitrary: fc.uint8Array({ maxLength: 12 }) },
        {
          weight: 1,
          arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => Buffer.from(text)),
        },
        {
          weight: 1,
          arbitrary: fc
            .tuple(fc.nat(255), fc.nat(maxLength))
            .map(([byte, length]) => Buffer.alloc(length, byte)),
        },
      ),
      { maxLength: 12 },
    )
    .map((parts) => new Uint8Array(Buffer.concat(parts)));

/** The same bytes in other pieces: where a chunk ends must never matter. */
export const inPieces = (bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] => {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
};
