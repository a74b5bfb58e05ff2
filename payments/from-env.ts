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
 * the simulated one, with which no money moves; it tells nothing without a secret and
 * `PAYMENT_WEBHOOK_URL`. What is empty counts as left out.
 * Throws in production unless one is named: nobody should find out at a month's end.
 */
export function gatewayFrom(env: Environment, db: Db): PaymentGateway {
  const { PAYMENT_GATEWAY: named, PAYMENT_WEBHOOK_SECRET: webhookSecret } = env;
  if (env['NODE_ENV'] === 'production' && !named) {
    throw new Error('NODE_ENV is production, so PAYMENT_GATEWAY must name stripe or simulated.');
  }
  const name = named || 'simulated';
  if (name === 'simulated') {
    const secret = webhookSecret || crypto.randomUUID();
    const url = webhookSecret && env['PAYMENT_WEBHOOK_URL'];
    const send = url ? sendTo(url) : undefined;
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
