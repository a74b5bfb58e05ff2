// Through whom somebody books: what stop-sell rules tell apart.
import type { Context } from 'hono';
import type { Channel } from '../domain/stop-sell.ts';
import type { ApiEnv } from './deps.ts';

const CHANNELS = {
  staff: 'counter',
  customer: 'online',
  partner: 'partner',
  system: 'counter',
} as const satisfies Readonly<Record<string, Channel>>;

export function channelOf(c: Context<ApiEnv>): Channel {
  return CHANNELS[c.get('caller').actor.kind];
}
