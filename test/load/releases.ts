/**
 * Releases as a deployment leaves them: directories, and a symbolic link to the current one.
 */
import { copyFileSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class Releases {
  readonly #directory: string;

  /** @param packageRoot where `tanist` is: releases import it by its name. */
  constructor(directory: string, packageRoot: string) {
    this.#directory = directory;
    mkdirSync(join(directory, 'node_modules'), { recursive: true });
    const link = join(directory, 'node_modules/tanist');
    if (!existsSync(link)) symlinkSync(packageRoot, link);
  }

  /** Where the service is started: always the release that is current then. */
  get current(): string {
    return join(this.#directory, 'current');
  }

  /** Puts a program beside its version, and makes that the current release. */
  deploy(version: string, program: string): void {
    const release = join(this.#directory, 'releases', version);
    mkdirSync(release, { recursive: true });
    copyFileSync(program, join(release, 'server.mjs'));
    writeFileSync(join(release, 'VERSION'), `${version}\n`);
    const link = join(this.#directory, 'next');
    symlinkSync(release, link);
    // A rename replaces the link at once: at every moment there is a current release, and it is whole.
    renameSync(link, this.current);
  }
}
