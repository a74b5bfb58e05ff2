// The gateway that a process uses, as its environment says.
import type { Db } from '../db/client.ts';
import type { PaymentGateway } from '../domain/payments/gateway.ts';
import { simulatedGateway } from './simulated.ts';
import type { SendNotice } from './simulated-notices.ts';
import { stripeGateway } from './stripe.ts';

const SEND_MS = 2_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `PAYMENT_GATEWAY=stripe` needs `STRIPE_SECRET_KEY` and `PAYMENT_WEBHOOK_SECRET`. Left out, it is
 * the simulated one, with which no money moves; without a secret none of its notices is accepted,
 * without `PAYMENT_WEBHOOK_URL` none is sent.
 * Throws in production unless one is named: nobody should find out at a month's end.
 */
export function gatewayFrom(env: Environment, db: Db): PaymentGateway {
  const { PAYMENT_GATEWAY: name = 'simulated', PAYMENT_WEBHOOK_SECRET: webhookSecret } = env;
  if (env['NODE_ENV'] === 'production' && env['PAYMENT_GATEWAY'] === undefined) {
    throw new Error('NODE_ENV is production, so PAYMENT_GATEWAY must name stripe or simulated.');
  }
  if (name === 'simulated') {
    const secret = webhookSecret || crypto.randomUUID();
    const send = env['PAYMENT_WEBHOOK_URL'] ? sendTo(env['PAYMENT_WEBHOOK_URL']) : undefined;
    return simulatedGateway({ db, now: () => new Date().toISOString(), secret, send });
  }
  const { STRIPE_SECRET_KEY: secretKey } = env;
  if (name !== 'stripe') throw new Error('PAYMENT_GATEWAY is stripe or simulated.');
  if (!secretKey || !webhookSecret) {
    throw new Error('PAYMENT_GATEWAY=stripe needs STRIPE_SECRET_KEY and PAYMENT_WEBHOOK_SECRET.');
  }
  return stripeGateway({ secretKey, webhookSecret });
}

/** The address of our own API that a real gateway would be told. */
function sendTo(url: string): SendNotice {
  return async (body, signature) => {
    const headers = { 'content-type': 'application/json', 'gateway-signature': signature };
    const signal = AbortSignal.timeout(SEND_MS);
    return (await fetch(url, { method: 'POST', body, headers, signal })).ok;
  };
}
