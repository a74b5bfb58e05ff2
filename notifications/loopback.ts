// Whether a server is on this machine, where nothing passes over a network.

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** `address` is a URL. */
export function isOnThisMachine(address: string): boolean {
  return LOOPBACK.test(new URL(address).hostname);
}
