/**
 * Loaded by Node before the program (`--require`), in a worker of `--adopt`. Kept small: every worker pays for it.
 *
 * In what the program starts it does nothing: the variable that wakes it is removed at once, and so is the option.
 */
import { createRequire } from 'node:module';
import type { Server } from 'node:net';
import { ADOPTION, type Adoption } from '../protocol/adoption.js';
import { VARIABLES } from '../protocol/environment.js';
import type { Listen } from '../worker/listening.js';
import type { ProgramAdoption } from './adoption.js';
import type * as Later from './index.js';

/** Long enough for most programs to listen, short enough to say soon what is waited for. */
const ATTEND_AFTER_MS = 200;

/** `child_process.fork()` hands the options on. */
const removeOption = (): void => {
  const { execArgv } = process;
  const index = execArgv.indexOf(__filename);
  if (index > 0) execArgv.splice(index - 1, 2);
};

const later = (): typeof Later => createRequire(__filename)('./adopt.js') as typeof Later;

const install = (addresses: readonly string[]): void => {
  const { prototype }: { prototype: Server } = process.getBuiltinModule('node:net').Server;
  const listen = prototype.listen as Listen;
  let hasMet = false;
  let isAside = false;
  let adoption: ProgramAdoption | null = null;
  const standAside = () => {
    isAside = true;
    // Whatever has been put around ours meanwhile goes on to call it.
    if (prototype.listen === adoptingListen) prototype.listen = listen as Server['listen'];
  };
  const load = (): ProgramAdoption | null => {
    if (isAside) return null;
    adoption ??= later().createAdoption({ listen, standAside, addresses, hasMet: () => hasMet });
    if (adoption === null) standAside();
    return adoption;
  };
  const adoptingListen = function (this: Server, ...args: unknown[]): Server {
    return load()?.listen(this, args) ?? listen.apply(this, args);
  } as Server['listen'];
  prototype.listen = adoptingListen;
  const met: Adoption = {
    meet: () => {
      hasMet = true;
    },
    connect: () => {
      if (adoption !== null) return adoption.connect();
      standAside();
      return null;
    },
  };
  Object.defineProperty(globalThis, ADOPTION, { value: met });
  setTimeout(() => {
    const loaded = load();
    if (loaded !== null) later().attend(loaded);
  }, ATTEND_AFTER_MS).unref();
};

const told = process.env[VARIABLES.adopt];
delete process.env[VARIABLES.adopt];
removeOption();
if (told !== undefined) install(JSON.parse(told) as string[]);
