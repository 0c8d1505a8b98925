import type { ChannelInput, ChannelOrder } from '../../machines/contracts.js';
import type { ChannelFact } from '../../machines/events.js';
import type { Dispose, Env, Stream } from '../os/env.js';
import { CHANNEL_BACKLOG_BYTES, CHANNEL_LINE_BYTES, OK, PONG, parseWorkerLine } from '../protocol/channel.js';
import { type LineFact, LineSplitter } from '../protocol/lines.js';
import { effect, type Unstamped } from './effect.js';

type Fact = Unstamped<ChannelFact>;

/** Rejected lines that are reported within one second; the others are counted. */
const REJECTIONS_PER_SECOND = 10;
const EXCERPT_CHARS = 80;

/** At most 10 rejected lines a second become facts; the next one that does says how many did not. */
const createRejections = (env: Env, channel: number, report: (fact: Fact) => void) => {
  let windowStart = 0;
  let inWindow = 0;
  let dropped = 0;
  return (text: string) => {
    const now = env.now();
    if (now - windowStart >= 1000) {
      windowStart = now;
      inWindow = 0;
    }
    inWindow += 1;
    if (inWindow > REJECTIONS_PER_SECOND) {
      dropped += 1;
      return;
    }
    report({ type: 'line.rejected', channel, excerpt: text.slice(0, EXCERPT_CHARS), dropped });
    dropped = 0;
  };
};

/** Reads one worker's words and answers them. Memory is bounded on both sides. */
export const createChannel = (env: Env) =>
  effect<ChannelInput, ChannelOrder, ChannelFact>(env, ({ input, report, onOrder }) => {
    const { channel } = input;
    const splitter = new LineSplitter(CHANNEL_LINE_BYTES);
    const reject = createRejections(env, channel, report);
    // What arrives together is one fact: a worker that floods costs a few events a chunk. Of several texts only
    // the last would be seen, and a word that was said does not become truer.
    let pings = 0;
    let status: string | null = null;
    const said = new Set<string>();
    const flush = () => {
      if (pings > 0) report({ type: 'ping.said', channel, count: pings });
      pings = 0;
      if (status !== null) report({ type: 'status.said', channel, text: status });
      status = null;
    };
    const overflow = (detail: string) => {
      flush();
      stream.close();
      report({ type: 'channel.overflowed', channel, detail });
    };
    const hear = (fact: LineFact) => {
      if (fact.kind === 'oversized') return overflow(`a line is longer than ${CHANNEL_LINE_BYTES} bytes`);
      if (fact.kind === 'invalid') return reject(fact.excerpt);
      const line = parseWorkerLine(fact.text);
      if (line.word === 'ping') pings += 1;
      else if (line.word === 'status') status = line.text;
      else if (line.word === 'unknown') reject(line.text);
      else if (!said.has(line.word)) {
        said.add(line.word);
        flush();
        report({ type: line.word === 'takeover' ? 'takeover.said' : 'shutdown.said', channel });
      }
    };
    const stream: Stream = env.openStream(channel, {
      onData: (chunk) => {
        // In pieces: a chunk of empty lines holds as many lines as bytes.
        for (let start = 0; start < chunk.length; start += CHANNEL_LINE_BYTES) {
          for (const fact of splitter.push(chunk.subarray(start, start + CHANNEL_LINE_BYTES))) hear(fact);
        }
        flush();
        said.clear();
      },
      // Its worker is gone, which the kernel says in a moment, or has closed it and says no more.
      onEnd: () => undefined,
      lingers: true,
    });
    let stopLooking: Dispose = () => {
      // Nobody looks.
    };
    onOrder((order) => {
      if (order.type === 'channel.look') {
        stopLooking();
        stopLooking = env.afterPoll(() => report({ type: 'channel.read', channel }));
        return;
      }
      const answer = order.type === 'channel.ok' ? `${OK}\n` : `${PONG}\n`.repeat(order.count);
      if (stream.write(answer) > CHANNEL_BACKLOG_BYTES) {
        overflow(`more than ${CHANNEL_BACKLOG_BYTES} bytes of answers were not read`);
      }
    });
    return () => {
      stopLooking();
      stream.close();
    };
  });
