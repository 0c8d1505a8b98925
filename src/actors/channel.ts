import type { ChannelInput, ChannelOrder } from '../../machines/contracts.js';
import type { ChannelFact } from '../../machines/events.js';
import type { Env, Stream } from '../os/env.js';
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
    let pings = 0;
    const flushPings = () => {
      if (pings > 0) report({ type: 'ping.said', channel, count: pings });
      pings = 0;
    };
    const overflow = (detail: string) => {
      flushPings();
      stream.close();
      report({ type: 'channel.overflowed', channel, detail });
    };
    const hear = (fact: LineFact) => {
      if (fact.kind === 'oversized') return overflow(`a line is longer than ${CHANNEL_LINE_BYTES} bytes`);
      if (fact.kind === 'invalid') return reject(fact.excerpt);
      const line = parseWorkerLine(fact.text);
      // Pings that arrive together are one fact: a worker that floods costs one event a chunk.
      if (line.word === 'ping') {
        pings += 1;
        return;
      }
      flushPings();
      if (line.word === 'takeover') report({ type: 'takeover.said', channel });
      else if (line.word === 'shutdown') report({ type: 'shutdown.said', channel });
      else if (line.word === 'status') report({ type: 'status.said', channel, text: line.text });
      else reject(line.text);
    };
    const stream: Stream = env.openStream(channel, {
      onData: (chunk) => {
        for (const fact of splitter.push(chunk)) hear(fact);
        flushPings();
      },
      onEnd: () => report({ type: 'channel.ended', channel }),
    });
    onOrder((order) => {
      const answer = order.type === 'channel.ok' ? `${OK}\n` : `${PONG}\n`.repeat(order.count);
      if (stream.write(answer) > CHANNEL_BACKLOG_BYTES) {
        overflow(`more than ${CHANNEL_BACKLOG_BYTES} bytes of answers were not read`);
      }
    });
    return () => stream.close();
  });
