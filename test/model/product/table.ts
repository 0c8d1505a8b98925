/**
 * Worlds that have been seen, each in a few whole numbers, and known by a number of its own.
 */
import { PACKED } from './world.js';

const FIRST_SIZE = 1 << 16;

export class Table {
  #worlds = new Int32Array(FIRST_SIZE * PACKED);
  #slots = new Int32Array(FIRST_SIZE * 2).fill(-1);
  #count = 0;

  get count(): number {
    return this.#count;
  }
  get worlds(): Int32Array {
    return this.#worlds;
  }
  get bytes(): number {
    return this.#worlds.byteLength + this.#slots.byteLength;
  }

  /** The number of a world; a new one gets the next. */
  place(packed: Int32Array): number {
    if ((this.#count + 1) * 2 > this.#slots.length) this.#grow();
    let at = this.#hash(packed, 0) & (this.#slots.length - 1);
    for (let known = this.#slots[at] as number; known !== -1; known = this.#slots[at] as number) {
      if (this.#equals(packed, known)) return known;
      at = (at + 1) & (this.#slots.length - 1);
    }
    this.#slots[at] = this.#count;
    this.#worlds.set(packed, this.#count * PACKED);
    this.#count += 1;
    return this.#count - 1;
  }

  #equals(packed: Int32Array, known: number): boolean {
    const at = known * PACKED;
    for (let index = 0; index < PACKED; index += 1)
      if (this.#worlds[at + index] !== packed[index]) return false;
    return true;
  }

  #hash(from: Int32Array, at: number): number {
    let hash = 0x9e3779b9;
    for (let index = 0; index < PACKED; index += 1) {
      hash = Math.imul(hash ^ (from[at + index] as number), 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0xc2b2ae35);
    return (hash ^ (hash >>> 13)) >>> 0;
  }

  #grow(): void {
    const worlds = new Int32Array(this.#worlds.length * 2);
    worlds.set(this.#worlds);
    this.#worlds = worlds;
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    for (let known = 0; known < this.#count; known += 1) {
      let at = this.#hash(worlds, known * PACKED) & (slots.length - 1);
      while (slots[at] !== -1) at = (at + 1) & (slots.length - 1);
      slots[at] = known;
    }
    this.#slots = slots;
  }
}

/** Whole numbers that go on and on. */
export class Numbers {
  #values: Int32Array;
  #length = 0;

  constructor(size = FIRST_SIZE) {
    this.#values = new Int32Array(size);
  }
  get length(): number {
    return this.#length;
  }
  get bytes(): number {
    return this.#values.byteLength;
  }
  at(index: number): number {
    return this.#values[index] as number;
  }
  push(value: number): void {
    if (this.#length === this.#values.length) {
      const values = new Int32Array(this.#values.length * 2);
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }
}
