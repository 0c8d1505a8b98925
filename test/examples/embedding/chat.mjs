// Sends a chat message when a new version was rolled back, or refused, and goes on serving.
//
//   CHAT_URL=http://127.0.0.1:9000/hook node test/examples/embedding/chat.mjs server.mjs
//
//   CHAT_URL        takes POST with { "text": … }: an incoming webhook of Slack, Mattermost and many others
//   CHAT_LIMIT_MS   how long a message may take; 5000
//   LISTEN          what the service listens on; 127.0.0.1:8080
//   PROBATION_MS    how long a new version has to serve well before it is in charge; 30000
//
// A chat server that is down, slow or refuses changes nothing: the promise of a handler is watched, and that it was
// rejected stands in the log (handler.failed).
import { createSupervisor } from 'tanist';

const { CHAT_URL, CHAT_LIMIT_MS = '5000', LISTEN = '127.0.0.1:8080', PROBATION_MS = '30000' } = process.env;
const [, , command] = process.argv;

const supervisor = createSupervisor({
  command,
  name: 'chatty',
  listen: LISTEN,
  probationMs: Number(PROBATION_MS),
});

const say = async (text) => {
  const response = await fetch(CHAT_URL, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text }),
    signal: AbortSignal.timeout(Number(CHAT_LIMIT_MS)),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the chat answered ${response.status}`);
};

// Told to the generation that goes on. The one that failed is ended, and says nothing.
supervisor.on('reload.refused', ({ outcome, generation, reason, detail }) =>
  say(
    `${supervisor.status().name}: generation ${generation} was ${outcome === 'rolled-back' ? 'rolled back' : 'refused'} (${reason}): ${detail}`,
  ),
);

const failure = await supervisor.done;
// After a reload the next generation is a child of this process, which would wait for it.
process.exit(failure === null ? 0 : 1);
