// A statechart around the supervisor's: deployments wait for a maintenance window.
//
// The supervisor is an actor of it. Its own regions stand beside each other: `window` says whether deployments are
// welcome, `release` whether there is something to deploy. It is as pure as tanist's machines: a test gives it
// events, and needs no process.
import { assign, fromCallback, sendTo, setup, stateIn } from 'xstate';

/** To be provided: main.mjs does it with real ones, a test with none. */
const missing = (name) =>
  fromCallback(() => {
    throw new Error(`the actor ${name} is not provided`);
  });

export const machine = setup({
  actors: { supervisor: missing('supervisor'), clock: missing('clock'), releases: missing('releases') },
  guards: {
    isOpen: stateIn({ working: { window: 'open' } }),
    isNewer: ({ context }) => context.isNewer,
    isPromoted: ({ event }) => event.verdict.outcome === 'promoted',
  },
  actions: {
    deploy: sendTo('supervisor', { type: 'supervisor.reload' }),
    remember: assign({ isNewer: true }),
    forget: assign({ isNewer: false }),
    recordFailure: assign({ failure: ({ event }) => ('failure' in event ? event.failure : event.error) }),
    announce: (_, { text }) => console.log(text),
  },
}).createMachine({
  id: 'service',
  context: { isNewer: false, failure: null },
  output: ({ context }) => ({ failure: context.failure }),
  initial: 'working',
  states: {
    working: {
      type: 'parallel',
      invoke: { id: 'supervisor', src: 'supervisor', onError: { target: 'ended', actions: 'recordFailure' } },
      on: { 'supervisor.ended': { target: 'ended', actions: 'recordFailure' } },
      states: {
        window: {
          initial: 'closed',
          invoke: { id: 'clock', src: 'clock' },
          states: {
            closed: { on: { 'window.opened': 'open' } },
            open: { on: { 'window.closed': 'closed' } },
          },
        },
        release: {
          initial: 'current',
          invoke: { id: 'releases', src: 'releases' },
          states: {
            current: { on: { 'release.changed': 'waiting' } },
            waiting: {
              entry: { type: 'announce', params: { text: 'a new release waits for the window' } },
              always: { guard: 'isOpen', target: 'deploying' },
            },
            deploying: {
              entry: ['forget', { type: 'announce', params: { text: 'deploying' } }, 'deploy'],
              on: {
                'release.changed': { actions: 'remember' },
                'supervisor.reloaded': [
                  // This generation leaves, and the next one has a statechart of its own.
                  { guard: 'isPromoted', target: 'current' },
                  { guard: 'isNewer', target: 'waiting' },
                  { target: 'refused' },
                ],
              },
            },
            refused: {
              entry: { type: 'announce', params: { text: 'refused: the old release goes on' } },
              on: { 'release.changed': 'waiting' },
            },
          },
        },
      },
    },
    ended: { type: 'final' },
  },
});
