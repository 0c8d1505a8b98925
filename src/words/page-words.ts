/**
 * What is said about the page of the inspector.
 */

export const isLoopback = (host: string): boolean => host === '::1' || /^127\./.test(host);

export const openToOthers = (host: string): string =>
  `other machines can reach ${host}, and what they send and get can be read on the way`;
