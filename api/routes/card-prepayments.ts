// Prepayments by card over HTTP: the gateway charges it at once, for customers, counters and partners.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { bookingByReference } from '../../db/commands/partner-bookings.ts';
import { prepaymentOf } from '../../db/queries/prepayments.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { prepay } from '../../workflows/deposit.messages.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { sendDeposit } from '../deposit-commands.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { ExternalReference } from '../schemas/partner-bookings.ts';
import { CardPrepayment, cardPrepaymentView, NewCardPrepayment } from '../schemas/prepayments.ts';

const MONEY = { scope: 'rentals:write', roles: [...COUNTER, ...BOOKS], customers: 'own' } as const;
/** Reads what whoever paid may be told of it. */
const READER = 'system:api';
const DESCRIPTION =
  'At most what the rental costs and is not paid yet. A card that is declined is 402 ' +
  '`payment-declined`, and nothing is charged. What is owed back when the rental is over goes ' +
  'back to the card by itself.';
const answers = { 201: jsonAnswer('Charged, and invoiced', CardPrepayment), ...problems };

const charge = createRoute({
  ...secured(MONEY, jsonBody),
  method: 'post',
  path: '/rentals/{id}/prepayments/card',
  tags: ['Payments'],
  summary: 'Charge a card for a rental before the hire',
  description: DESCRIPTION,
  request: {
    params: z.object({ id: Id }),
    headers: IdempotencyHeader,
    body: jsonRequest(NewCardPrepayment),
  },
  responses: answers,
});

const chargeForPartner = createRoute({
  ...secured({ scope: 'rentals:write', roles: [], partners: true }, jsonBody),
  method: 'post',
  path: '/partner/bookings/{externalReference}/prepayments',
  tags: ['Partner bookings'],
  summary: 'Charge a card for one of the partner’s own bookings',
  description: DESCRIPTION,
  request: {
    params: z.object({ externalReference: ExternalReference }),
    headers: IdempotencyHeader,
    body: jsonRequest(NewCardPrepayment),
  },
  responses: answers,
});

export function cardPrepaymentRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;

  type Charge = z.infer<typeof NewCardPrepayment>;
  /** Its id is the key's: whoever asks again gets the same charge, and no second one. */
  const charged = async (c: Context<ApiEnv>, id: string, rentalId: string, asked: Charge) => {
    const envelope = { commandId: id, actor: deps.actorOf(c) };
    await sendDeposit(deps, rentalId, prepay, {
      ...envelope,
      command: { ...asked, prepaymentId: id },
    });
    const prepayment = found(await prepaymentOf(db, READER, id), 'prepayment');
    return { status: 201, body: cardPrepaymentView(prepayment) } as const;
  };

  return apiRouter()
    .openapi(charge, (c) =>
      idempotent(c, deps, async (id) => {
        const { id: rentalId } = c.req.valid('param');
        found(await rentalById(db, rowAccessOf(c), rentalId), 'rental');
        return charged(c, id, rentalId, c.req.valid('json'));
      }),
    )
    .openapi(chargeForPartner, (c) =>
      idempotent(c, deps, async (id) => {
        const { externalReference } = c.req.valid('param');
        const { id: partnerId } = deps.actorOf(c);
        const access = rowAccessOf(c);
        const booking = await bookingByReference(db, access, partnerId, externalReference);
        const { rental_id: rentalId } = found(booking, 'booking');
        found(await rentalById(db, READER, rentalId), 'booking');
        return charged(c, id, rentalId, c.req.valid('json'));
      }),
    );
}
