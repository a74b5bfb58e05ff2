// The same sliding window in Redis, where all processes of the API count together.
import { Redis } from 'ioredis';
import { STEPS, type Verdict } from './window.ts';

/**
 * One script, so that two processes never both take the last one; by the clock of Redis, so that
 * theirs need not agree. KEYS: the counter. ARGV: quota, window in ms, cost.
 */
const TAKE = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local quota, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local width = window / ${STEPS}
local step = math.floor(now / width)
local used, first = 0, step
local counts = redis.call('HGETALL', KEYS[1])
for i = 1, #counts, 2 do
  local counted = tonumber(counts[i])
  if counted < step - ${STEPS} then
    redis.call('HDEL', KEYS[1], counts[i])
  else
    used = used + tonumber(counts[i + 1])
    if counted < first then first = counted end
  end
end
local allowed = 0
if used + cost <= quota then
  redis.call('HINCRBY', KEYS[1], string.format('%.0f', step), cost)
  redis.call('PEXPIRE', KEYS[1], math.ceil(window + width))
  used = used + cost
  allowed = 1
end
return {allowed, math.max(0, quota - used), math.ceil((first + ${STEPS + 1}) * width - now)}
`;

/** Unless told otherwise, a request waits no longer for its limit than this; then the local one decides. */
const COMMAND_TIMEOUT_MS = 50;
const MAX_RECONNECT_MS = 2_000;

export type SharedWindow = {
  /** Rejects at once while Redis is away, and after the timeout when it does not answer. */
  readonly take: (key: string, quota: number, windowMs: number, cost: number) => Promise<Verdict>;
  readonly close: () => void;
};

/** `url` is redis[s]://…; the connection is made, and made again, behind the scenes. */
export function sharedWindow(url: string, timeoutMs = COMMAND_TIMEOUT_MS): SharedWindow {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: timeoutMs,
    connectTimeout: 1_000,
    retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RECONNECT_MS),
    scripts: { takeFromWindow: { lua: TAKE, numberOfKeys: 1 } },
  });
  // Whoever asks is told by the rejection; an error without a listener would end the process.
  redis.on('error', () => undefined);
  return {
    take: async (key, quota, windowMs, cost) => {
      const [allowed, remaining, resetMs] = await (redis as WithScript).takeFromWindow(
        `limit:${key}`,
        quota,
        windowMs,
        cost,
      );
      return { allowed: allowed === 1, quota, remaining, resetMs };
    },
    close: () => redis.disconnect(),
  };
}

type WithScript = Redis & {
  readonly takeFromWindow: (
    key: string,
    quota: number,
    windowMs: number,
    cost: number,
  ) => Promise<[number, number, number]>;
};
