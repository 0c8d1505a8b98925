/**
 * Searches a product breadth first: every state is checked, and from every state everything must be able to come
 * right without another fault.
 */
import type { Product } from './product.js';
import { Numbers, Table } from './table.js';
import { PACKED, pack, unpack, type World } from './world.js';

export interface Searched {
  readonly states: number;
  readonly edges: number;
  /** Of the processor. */
  readonly ms: number;
  readonly megabytes: number;
  /** Places in which one supervisor can be, with all that is in it. */
  readonly places: number;
}

export interface Violation {
  readonly problem: string;
  /** The shortest way to it: what happened, and the world after that. */
  readonly trace: readonly { readonly name: string; readonly world: World }[];
}

export interface Result {
  readonly searched: Searched;
  readonly violation: Violation | null;
}

export interface SearchOptions {
  /** Give up, as an error, beyond so many states. */
  readonly maxStates: number;
  /** Whether it must be able to come right. Default true. */
  readonly recovery?: boolean;
  /** Problems to look for, others are passed over. Default all. */
  readonly only?: RegExp;
}

const wayTo = (product: Product, table: Table, parents: Numbers, index: number): Violation['trace'] => {
  const indexes: number[] = [];
  for (let at = index; at >= 0; at = parents.at(at)) indexes.unshift(at);
  const packed = new Int32Array(PACKED);
  return indexes.map((at, step) => {
    const world = unpack(table.worlds, at * PACKED);
    if (step === 0) return { name: 'a reload is asked for', world };
    let found = '?';
    product.moves(unpack(table.worlds, (indexes[step - 1] as number) * PACKED), (name, _, next) => {
      pack(next, packed);
      if (found === '?' && table.place(packed) === at) found = name;
    });
    return { name: found, world };
  });
};

/** Marks all from which a settled state can be reached, by ways that were noted forwards. */
const stuckIn = (good: Uint8Array, edges: Numbers, offsets: Numbers): number => {
  for (let changed = true; changed; ) {
    changed = false;
    for (let index = good.length - 1; index >= 0; index -= 1) {
      if (good[index] === 1) continue;
      const end = offsets.at(index + 1);
      for (let edge = offsets.at(index); edge < end; edge += 1) {
        if (good[edges.at(edge)] !== 1) continue;
        good[index] = 1;
        changed = true;
        break;
      }
    }
  }
  return good.indexOf(0);
};

export const search = (
  product: Product,
  { maxStates, recovery = true, only = /./ }: SearchOptions,
): Result => {
  const begun = process.cpuUsage();
  const table = new Table();
  const parents = new Numbers();
  // Where a way without a fault leads to, and where the ways of each state begin.
  const edges = new Numbers(1 << 18);
  const offsets = new Numbers();
  const packed = new Int32Array(PACKED);
  let count = 0;
  const result = (violation: Violation | null): Result => ({
    searched: {
      states: table.count,
      edges: count,
      ms: process.cpuUsage(begun).user / 1_000,
      megabytes: Math.round((table.bytes + parents.bytes + edges.bytes + offsets.bytes) / 1e6),
      places: product.kernel.processes.count,
    },
    violation,
  });
  pack(product.start(), packed);
  table.place(packed);
  parents.push(-1);
  for (let index = 0; index < table.count; index += 1) {
    if (table.count > maxStates) throw new Error(`more than ${maxStates} states`);
    offsets.push(edges.length);
    const world = unpack(table.worlds, index * PACKED);
    const problem = product.problems(world).find((words) => only.test(words));
    if (problem !== undefined) return result({ problem, trace: wayTo(product, table, parents, index) });
    let broken: Violation | null = null;
    product.moves(world, (name, isFault, next, problems) => {
      count += 1;
      const problem = problems.find((words) => only.test(words));
      if (problem !== undefined && broken === null) {
        broken = { problem, trace: [...wayTo(product, table, parents, index), { name, world: next.copy() }] };
        return;
      }
      pack(next, packed);
      const place = table.place(packed);
      if (place === parents.length) parents.push(index);
      if (!isFault) edges.push(place);
    });
    if (broken !== null) return result(broken);
  }
  offsets.push(edges.length);
  if (!recovery) return result(null);
  const good = new Uint8Array(table.count);
  for (let index = 0; index < table.count; index += 1)
    if (product.isSettled(unpack(table.worlds, index * PACKED))) good[index] = 1;
  const stuck = stuckIn(good, edges, offsets);
  if (stuck < 0) return result(null);
  const problem = 'G6/G7: it never comes right without another fault';
  return result({ problem, trace: wayTo(product, table, parents, stuck) });
};
