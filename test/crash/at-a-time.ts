/**
 * Things to do, some at a time. They mostly wait; more of them would keep two cores too busy for their short limits.
 */
const AT_A_TIME = 4;

/** Results are in the order of the items; `onResult` sees each as soon as it is there. */
export const someAtATime = async <Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  onResult: (result: Result) => void = () => undefined,
): Promise<readonly Result[]> => {
  const results: Result[] = [];
  const waiting = items.entries();
  const workOn = async () => {
    for (const [index, item] of waiting) {
      const result = await work(item);
      results[index] = result;
      onResult(result);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, workOn));
  return results;
};
