/**
 * What clients of the control socket are told in an emergency.
 */
import type { Failure } from '../../machines/events.js';
import type { ControlRequest } from '../os/env.js';

const HINT = 'Its log has the reason. Start it again when it has ended.';

/** The truth for somebody who waits for a verdict: there will be none. */
export const refuse = (request: ControlRequest, { code, message }: Failure): void =>
  request.respond(503, { error: { code, message, hint: HINT } });

/** Answers a request that came during the emergency. `stop` if it asks for what happens already. */
export const answerLate = (request: ControlRequest, failure: Failure): 'stop' | null => {
  if (request.path === '/stop' && request.method === 'POST') {
    request.hold(202, { outcome: 'stopping' });
    return 'stop';
  }
  if (request.path === '/healthz' || request.path === '/readyz')
    request.respond(503, { ok: false, reason: failure.message });
  else refuse(request, failure);
  return null;
};
