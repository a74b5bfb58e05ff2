// Notices of the simulated gateway, signed as gateways do it: time and body, by a shared secret.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type GatewayNotice, NoticeRefused } from '../domain/payments/gateway.ts';

/** What was signed longer ago may be somebody's repetition. */
const TOLERANCE_S = 300;

/** `t=<unix seconds>,v1=<hex HMAC-SHA256 of time.body>`. */
export function signNotice(secret: string, body: string, atS: number): string {
  return `t=${atS},v1=${digest(secret, body, atS).toString('hex')}`;
}

/** Throws `NoticeRefused`. */
export function readSigned(
  secret: string,
  body: string,
  signature: string,
  nowS: number,
): GatewayNotice {
  const [, at, hex] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
  if (at === undefined || hex === undefined) throw new NoticeRefused();
  const isFresh = Math.abs(nowS - Number(at)) <= TOLERANCE_S;
  const isTheirs = timingSafeEqual(digest(secret, body, Number(at)), Buffer.from(hex, 'hex'));
  if (!isFresh || !isTheirs) throw new NoticeRefused();
  return JSON.parse(body) as GatewayNotice;
}

function digest(secret: string, body: string, atS: number): Buffer {
  return createHmac('sha256', secret).update(`${atS}.${body}`).digest();
}
