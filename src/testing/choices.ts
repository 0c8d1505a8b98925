/**
 * Everything a simulated world leaves to chance, drawn from one seed or repeated from a list.
 *
 * Each topic is a stream of its own: one choice less in one of them moves none of the others. Every choice
 * is a number from 0 on, and 0 is always the dull one: no fault, first come first served, quick.
 */

/** What was chosen, by `topic:number`. Only what is not dull is listed. */
export type Recording = ReadonlyMap<string, number>;

interface Stream {
  state: number;
  readonly taken: number[];
}

/** FNV-1a, so that every topic starts elsewhere. */
const hash = (text: string, seed: number): number => {
  let value = (2_166_136_261 ^ seed) >>> 0;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 16_777_619) >>> 0;
  }
  return value;
};

/** Where chance comes from. */
export class Choices {
  readonly #seed: number;
  readonly #kept: Recording | null;
  readonly #streams = new Map<string, Stream>();

  /**
   * @param seed a whole number.
   * @param kept repeats these choices and makes every other the dull one; null draws all from the seed.
   */
  constructor(seed: number, kept: Recording | null = null) {
    this.#seed = seed;
    this.#kept = kept;
  }

  /** A number below `count`; 0 with the probability `dull`, else any. */
  below(topic: string, count: number, dull = 1 / count): number {
    return this.#choose(topic, count, (random) =>
      random < dull ? 0 : Math.floor(((random - dull) / (1 - dull)) * count),
    );
  }

  /** True with the probability `odds`. */
  chance(topic: string, odds: number): boolean {
    if (odds <= 0) return false;
    return this.#choose(topic, 2, (random) => (random < odds ? 1 : 0)) === 1;
  }

  /** An index into the weights; index 0 gets what they leave of 1. */
  weighted(topic: string, weights: readonly number[]): number {
    return this.#choose(topic, weights.length, (random) => {
      let rest = random;
      for (let index = 1; index < weights.length; index += 1) {
        rest -= weights[index] ?? 0;
        if (rest < 0) return index;
      }
      return 0;
    });
  }

  /** What was chosen until now, to be repeated. */
  get recording(): Recording {
    const all = new Map<string, number>();
    for (const [topic, { taken }] of this.#streams) {
      for (const [index, value] of taken.entries()) if (value !== 0) all.set(`${topic}:${index}`, value);
    }
    return all;
  }

  #choose(topic: string, count: number, draw: (random: number) => number): number {
    let stream = this.#streams.get(topic);
    if (stream === undefined) {
      stream = { state: hash(topic, this.#seed), taken: [] };
      this.#streams.set(topic, stream);
    }
    const value =
      this.#kept === null
        ? Math.min(count - 1, draw(next(stream)))
        : Math.min(count - 1, this.#kept.get(`${topic}:${stream.taken.length}`) ?? 0);
    stream.taken.push(value);
    return value;
  }
}

/** Mulberry32: 32 bits of state, and quick. */
const next = (stream: { state: number }): number => {
  stream.state = (stream.state + 0x6d2b79f5) >>> 0;
  let value = stream.state;
  value = Math.imul(value ^ (value >>> 15), value | 1);
  value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
  return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
};
