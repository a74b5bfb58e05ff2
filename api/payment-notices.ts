// Where payment gateways tell what happened: believed by signature alone, taken once, in any order.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { takeNotice } from '../db/commands/gateway-notices.ts';
import { NoticeRefused } from '../domain/payments/gateway.ts';
import { depositStartOptions } from '../temporal-config/starts.ts';
import { gatewayTold } from '../workflows/deposit.messages.ts';
import type { deposit } from '../workflows/deposit.ts';
import { waiting } from './commands.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { limitAs } from './middleware/rate-limit.ts';
import { ProblemError, problemResponse } from './problems.ts';

const PATH = '/webhooks/payments/:gateway';
/** Far more than any gateway sends. */
const MAX_BYTES = 262_144;

/**
 * `POST`: 200 when it was taken, also for the second time or when it concerns nothing of ours; any
 * other answer makes the gateway repeat it. 400 `signature-refused`, 404 for another gateway.
 */
export function noticeRoutes(deps: ApiDeps): Hono<ApiEnv> {
  const { paymentNotices: gateway } = deps;
  const tooLarge = bodyLimit({
    maxSize: MAX_BYTES,
    onError: (c) =>
      problemResponse(
        c,
        new ProblemError('payload-too-large', `A notice has at most ${MAX_BYTES} bytes.`),
      ),
  });
  if (gateway === undefined) return new Hono<ApiEnv>();
  return new Hono<ApiEnv>().post(PATH, limitAs('webhook', deps), tooLarge, async (c) => {
    if (c.req.param('gateway') !== gateway.name) {
      throw new ProblemError('not-found', 'This gateway is not used here.');
    }
    const signature = c.req.header(gateway.signatureHeader) ?? '';
    const body = await c.req.text();
    const notice = believed(() => gateway.readNotice(body, signature));
    const rentalId = await takeNotice(deps.db, gateway.name, notice);
    if (rentalId !== null) await tellDeposit(deps, rentalId);
    return c.json({ received: true });
  });
}

function believed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof NoticeRefused)) throw error;
    throw new ProblemError('signature-refused', error.message);
  }
}

/** Started where none runs any more: it shows what needs a person, and ends again. */
async function tellDeposit(deps: ApiDeps, rentalId: string): Promise<void> {
  const told = { ...depositStartOptions(rentalId), signal: gatewayTold };
  await waiting(deps, () =>
    deps.temporal.workflow.signalWithStart<typeof deposit>('deposit', told),
  );
}
