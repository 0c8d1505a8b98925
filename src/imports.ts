/**
 * `import()` for the bundles: a file of its own, loaded by Node. Code that V8 has from a cache (src/code-cache.ts)
 * cannot ask for a module: Node does not know any more on whose behalf.
 */
export const importModule = (specifier: string): Promise<unknown> => import(specifier);

/** Beside the bundles, in a place that they see otherwise than the sources do. */
export const importInspector = () => import('./inspector/index.js');
