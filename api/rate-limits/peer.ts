// Who sits at the other end of a connection, as far as proxies that we trust can say.
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

export type Proxies = {
  /** Whether what this address says about others is believed. */
  readonly trusts: (address: string) => boolean;
};

/** Reads TRUSTED_PROXIES: addresses and CIDR ranges by comma. None: nobody is believed. */
export function trustedProxies(text: string | undefined): Proxies {
  const list = new BlockList();
  for (const entry of (text ?? '').split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const [address = '', bits, ...rest] = entry.split('/');
    const version = isIP(address);
    const length = bits === undefined ? (version === 4 ? 32 : 128) : Number(bits);
    const sound = version !== 0 && rest.length === 0 && /^[0-9]{1,3}$/.test(bits ?? '0');
    if (!sound || length > (version === 4 ? 32 : 128)) {
      throw new Error(`TRUSTED_PROXIES: '${entry}' is neither an address nor a range of them.`);
    }
    list.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6');
  }
  return { trusts: (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') };
}

/**
 * The nearest address that no trusted proxy vouches beyond: from the socket backwards through
 * X-Forwarded-For, whose left part anybody can write.
 */
export function peerAddress(
  socket: string | undefined,
  forwardedFor: string | undefined,
  proxies: Proxies,
): string {
  let peer = plain(socket ?? '');
  if (isIP(peer) === 0) return 'unknown';
  const claims = (forwardedFor ?? '').split(',').map((part) => plain(part.trim()));
  while (proxies.trusts(peer)) {
    const next = claims.pop();
    if (next === undefined || isIP(next) === 0) break;
    peer = next;
  }
  return peer;
}

/** For a request of Node's, outside the app: the pages of the sign-in. */
export function peerOfRequest(request: IncomingMessage, proxies: Proxies): string {
  const header = request.headers['x-forwarded-for'];
  const forwarded = Array.isArray(header) ? header.join(',') : header;
  return peerAddress(request.socket.remoteAddress, forwarded, proxies);
}

/** What is counted: a line of IPv6 is a whole /64, whose addresses cost nothing. */
export function peerKey(address: string): string {
  if (isIP(address) !== 6) return address;
  return `${groupsOf(address).slice(0, 4).join(':')}::/64`;
}

function groupsOf(address: string): readonly string[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const left = head.split(':').filter((group) => group !== '');
  const right = (tail ?? '').split(':').filter((group) => group !== '');
  // A dotted end is two groups; those lie behind the first four in any case.
  const middle = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array.from({ length: middle }, () => '0'), ...right].map((group) =>
    group.replace(/^0+(?=.)/, ''),
  );
}

/** `::ffff:192.0.2.1` is 192.0.2.1, on whichever socket it came in. */
function plain(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? address;
}
