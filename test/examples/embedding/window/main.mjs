// Regions of one's own beside the supervisor: a new release is deployed by itself, but only in a maintenance window.
//
//   ln -s releases/1 current; node test/examples/embedding/window/main.mjs
//   ln -sfn releases/2 current     waits
//   touch window                   is deployed now; rm window closes it again
//
//   RELEASE   a link to the directory with server.mjs; ./current
//   WINDOW    a file that exists as long as deployments are welcome; ./window
//   LISTEN    what the service listens on; 127.0.0.1:8080
//
// The statechart is in machine.mjs. Why it is around the supervisor's machine and not in it: a region of ours that
// fails must not be a defect of the supervisor, and the journal stays one that `tanist replay` can play.
import { existsSync, readlinkSync } from 'node:fs';
import { fromSupervisor } from 'tanist';
import { createActor, fromCallback } from 'xstate';
import { machine } from './machine.mjs';

const { RELEASE = 'current', WINDOW = 'window', LISTEN = '127.0.0.1:8080' } = process.env;
const EVERY_MS = 50;

/** Looks again and again, and tells what is another than before. */
const watching = (look, known, factOf) =>
  fromCallback(({ sendBack }) => {
    let before = known;
    const timer = setInterval(() => {
      const now = look();
      if (now !== before) sendBack(factOf(now));
      before = now;
    }, EVERY_MS);
    return () => clearInterval(timer);
  });

const releaseNow = () => readlinkSync(RELEASE);
const actor = createActor(
  machine.provide({
    actors: {
      supervisor: fromSupervisor({ command: 'server.mjs', chdir: RELEASE, name: 'windowed', listen: LISTEN }),
      clock: watching(
        () => existsSync(WINDOW),
        false,
        (isOpen) => ({ type: isOpen ? 'window.opened' : 'window.closed' }),
      ),
      // What this generation was started from is no news.
      releases: watching(releaseNow, releaseNow(), () => ({ type: 'release.changed' })),
    },
  }),
);
actor.subscribe({
  complete: () => {
    const { failure } = actor.getSnapshot().output;
    if (failure !== null) console.error(failure.message);
    // After a reload the next generation is a child of this process, which would wait for it.
    process.exit(failure === null ? 0 : 1);
  },
});
actor.start();
