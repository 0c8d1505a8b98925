/**
 * Safeguards of the protocol that can be switched off in the model's world, to see that each is needed.
 */
export const SAFEGUARDS = {
  token: 'the token can be taken by both',
  predecessorPipe: "the successor does not wait for the end of the predecessor's life pipe",
  successorPipe: "the predecessor does not wait for the end of the successor's life pipe",
  exit: 'whoever kills takes the other for gone at once',
  commitAlarm: 'the commit alarm never fires',
  leaveAlarm: 'the leave alarm never fires',
  yieldAlarm: 'the yield alarm never fires',
  looking: 'what waits in the socket is not read before a decision',
  relay: 'a stop is not passed on',
  pid: 'the predecessor does not write its pid again when it comes back',
  patience: 'the predecessor leaves once it has granted the takeover',
  perseverance: 'a successor that has failed gives up by itself',
  word: 'the predecessor takes the missing token for the word committed',
} as const;

export type Safeguard = keyof typeof SAFEGUARDS;
