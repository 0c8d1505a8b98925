/**
 * Who is shown, how the page and the daemon stand, and what is to be known of that.
 */
import type { Status } from '../../../machines/status.js';
import { type Picture, principalOf } from '../view/picture.js';
import { activePaths } from '../view/states.js';
import { clock, span } from '../view/words.js';
import { byId, html, setText } from './element.js';
import type { Hello, LinkState } from './source.js';

export interface HeaderView {
  readonly hello: Hello | null;
  readonly link: LinkState;
  readonly status: Status | null;
  readonly picture: Picture;
  readonly nowMs: number;
  readonly isLive: boolean;
  /** What an order led to; empty for nothing. */
  readonly notice: string;
}

const LINKS: Readonly<Record<LinkState['state'], string>> = {
  connecting: 'connecting',
  connected: 'live',
  disconnected: 'disconnected',
  ended: 'stopped',
  lost: 'inspector gone',
};

const bannerOf = ({ hello, link, nowMs, isLive, picture, notice }: HeaderView): string => {
  const name = hello?.name ?? 'the daemon';
  if (!isLive)
    return `You look at ${clock(picture.atMs)}. ${hello?.mode === 'recording' ? 'End' : 'Live'} goes back.`;
  const since = clock(link.sinceMs, false);
  switch (link.state) {
    case 'connecting':
      return `Looking for ${name} …`;
    case 'disconnected':
      return `${name} has not answered since ${since}, ${span(nowMs - link.sinceMs)} ago. Below is what was last known; this page goes on by itself when it answers again.`;
    case 'ended': {
      const how =
        principalOf(picture)?.machines.get('supervisor')?.state === 'failed' ? 'gave up' : 'was stopped';
      const rest = hello?.untilEnd === true ? '.' : '; this page goes on by itself when it is started again.';
      return `${name} ${how} at ${since}. Below is how it ended${rest}`;
    }
    case 'lost':
      return 'The inspector that serves this page has ended, or does not answer: "tanist inspect" starts another one.';
    case 'connected':
      return notice;
  }
};

export const drawHeader = (view: HeaderView): void => {
  const { hello, link, status, picture, nowMs, isLive } = view;
  const isRecording = hello?.mode === 'recording';
  const principal = principalOf(picture);
  const [state = ''] = activePaths(principal?.machines.get('supervisor')?.state ?? '');
  setText(byId('name'), hello?.name ?? 'tanist');
  document.title = `${state === '' ? '' : `${state} · `}${hello?.name ?? 'tanist'}`;
  const pill = byId('state');
  pill.hidden = state === '';
  setText(pill, state);
  pill.dataset.state = state;
  const words = isRecording ? 'recording' : isLive ? LINKS[link.state] : 'replay';
  setText(byId('link'), words);
  document.body.dataset.link = isRecording ? 'recording' : link.state;
  document.body.dataset.moment = isLive ? 'live' : 'past';
  const banner = byId('banner');
  const text = isRecording && isLive ? '' : bannerOf(view);
  banner.hidden = text === '';
  setText(banner, text);
  const facts: readonly (readonly [string, string])[] = [
    ['generation', principal === null ? '–' : String(principal.generation)],
    ['pid', principal === null ? '–' : String(principal.pid)],
    ['up', principal === null ? '–' : span((principal.endedMs ?? nowMs) - principal.beganMs)],
    ['listens on', status?.listeners.map(({ address }) => address).join(', ') || '–'],
    ['last reload', lastReloadOf(status)],
  ];
  const shown = isRecording ? facts.slice(0, 3) : facts;
  const list = byId('facts');
  if (list.dataset.text === JSON.stringify(shown)) return;
  list.dataset.text = JSON.stringify(shown);
  list.replaceChildren(
    ...shown.map(([name, value]) => html('div', {}, html('dt', {}, name), html('dd', {}, value))),
  );
};

const lastReloadOf = (status: Status | null): string => {
  const last = status?.lastReload;
  if (last === null || last === undefined) return 'none';
  const outcome = last.outcome.replace('-', ' ');
  return last.reason === null ? outcome : `${outcome} (${last.reason})`;
};
