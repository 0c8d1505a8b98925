/**
 * Searches a product breadth first: every state is checked, and from every state everything must be able to come
 * right without another fault.
 */
import type { Product, World } from './product-model.js';

export interface Searched {
  readonly states: number;
  readonly edges: number;
}

interface Found {
  readonly world: World;
  readonly from: number;
  readonly name: string;
}

/** @throws an Error with the shortest way to the first thing that is wrong. */
export const search = (product: Product, maxStates: number): Searched => {
  const found: Found[] = [{ world: product.start, from: -1, name: 'start' }];
  const known = new Map<string, number>([[JSON.stringify(product.start), 0]]);
  const sources: number[][] = [[]];
  let edges = 0;
  const wayTo = (index: number): string => {
    const names: string[] = [];
    for (let at = index; at >= 0; at = found[at]?.from ?? -1) names.unshift(found[at]?.name ?? '');
    return names.join('\n  ');
  };
  const fail = (words: string, index: number): never => {
    const here = found[index] as Found;
    throw new Error(`${words}\nin ${product.describe(here.world)}\nafter\n  ${wayTo(index)}`);
  };
  for (let index = 0; index < found.length; index += 1) {
    if (found.length > maxStates) throw new Error(`more than ${maxStates} states`);
    const { world } = found[index] as Found;
    const [problem] = product.problems(world);
    if (problem !== undefined) fail(problem, index);
    for (const move of product.moves(world)) {
      edges += 1;
      const key = JSON.stringify(move.world);
      const place = known.get(key) ?? found.length;
      if (place === found.length) {
        known.set(key, place);
        found.push({ world: move.world, from: index, name: move.name });
        sources.push([]);
      }
      if (!move.isFault) sources[place]?.push(index);
    }
  }
  const saved = new Uint8Array(found.length);
  const queue: number[] = [];
  const save = (index: number) => {
    if (saved[index] === 1) return;
    saved[index] = 1;
    queue.push(index);
  };
  found.forEach(({ world }, index) => {
    if (product.isSettled(world)) save(index);
  });
  for (let index = queue.pop(); index !== undefined; index = queue.pop()) sources[index]?.forEach(save);
  const stuck = saved.indexOf(0);
  if (stuck >= 0) fail('this never comes right', stuck);
  return { states: found.length, edges };
};
