/**
 * When the program's main module has run.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/**
 * Calls back when the main module has been evaluated, awaits at its top level included; after a failure, too, of
 * which Node tells the program itself. Call it in a later turn of the loop than the preload's.
 */
export const whenMainHasRun = (callback: () => void): void => {
  const [, script] = process.argv;
  // CommonJS, which runs in one go before the loop turns; or there is no script, as with `node --eval`.
  if (createRequire(import.meta.url).main !== undefined || script === undefined) {
    callback();
    return;
  }
  // The module is being loaded already: this waits for the same evaluation.
  import(pathToFileURL(script).href).then(callback, callback);
};
