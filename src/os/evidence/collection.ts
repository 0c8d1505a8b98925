/**
 * Evidence: what explains why a worker has to be killed, written down before it is.
 */
import { promises } from 'node:fs';
import { join } from 'node:path';
import type { Dispose, EvidenceRequest } from '../env.js';
import { makeFolder } from './folder.js';
import { processFiles } from './proc.js';
import { askReporter, type OpenStream } from './reporter.js';

const OWN = 0o600;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Collects evidence of one process and says when that is done. It has no limit of its own: whoever asked disposes of it,
 * and what was found out by then is there.
 */
export const collectEvidence = (request: EvidenceRequest, openStream: OpenStream): Dispose => {
  const { pid, slot, generation, cause, directory, reporter } = request;
  let isStopped = false;
  let stopAsking: Dispose = () => {
    // Nobody is asked yet.
  };
  const work = async () => {
    const folder = await makeFolder(directory, slot, pid);
    if (isStopped) return;
    request.onBegun(folder);
    const write = (name: string, text: string) =>
      promises.writeFile(join(folder, name), `${text}\n`, { mode: OWN, flag: 'wx' });
    const about = { at: new Date().toISOString(), pid, slot, generation, cause };
    await Promise.all([
      write('about.json', JSON.stringify(about, null, 2)),
      ...(reporter === null ? [] : [ask(reporter, write)]),
      ...Object.entries(processFiles(pid)).map(async ([name, look]) => write(name, await look())),
    ]);
  };
  const ask = async (descriptor: number, write: (name: string, text: string) => Promise<void>) => {
    const writings: Promise<void>[] = [];
    await new Promise<void>((resolve) => {
      stopAsking = askReporter(
        openStream,
        descriptor,
        (name, text) => writings.push(write(name, text)),
        resolve,
      );
    });
    await Promise.all(writings);
  };
  work().then(
    () => {
      if (!isStopped) request.onDone();
    },
    (error: unknown) => {
      stopAsking();
      if (!isStopped) request.onFailure(messageOf(error));
    },
  );
  return () => {
    isStopped = true;
    stopAsking();
  };
};
