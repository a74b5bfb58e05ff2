// Agents, their terms and statements as they are sent and shown. Amounts in minor units.
import { z } from '@hono/zod-openapi';
import type { AgentRow } from '../../db/commands/agents.ts';
import type { AgentWithTerms } from '../../db/queries/agents.ts';
import {
  COMMISSION_PARTS,
  COMMISSIONABLE,
  HIGHEST_COMMISSION_BP,
  PAYOUT_METHODS,
} from '../../domain/commission.ts';
import { Currency, EntityId, Id, Minor, pageQuery, text, UtcInstant } from './common.ts';
import { changesSomething } from './vehicles.ts';

const LocalDate = z.iso.date().openapi({ description: 'By the clock of the legal entity' });
const Kind = z
  .string()
  .regex(new RegExp(`^(${COMMISSION_PARTS.join('|')})(\\.[a-z0-9-]{1,40}){0,2}$`))
  .openapi({ description: 'A code of lines, or its first part', example: 'time' });
const rateBp = z.int().min(0).max(HIGHEST_COMMISSION_BP).openapi({
  description: 'Of net amounts, in hundredths of a per cent',
  example: 1250,
});

export const NewAgentTerms = z
  .strictObject({
    rateBp,
    kinds: z
      .array(Kind)
      .min(1)
      .max(20)
      .readonly()
      .default([...COMMISSIONABLE])
      .openapi({
        description: 'The lines that earn it; discounts go with time',
      }),
    validFrom: LocalDate.optional().openapi({
      description: 'For rentals booked from that day on; left out, from today',
    }),
  })
  .openapi('NewAgentTerms');

const AgentCode = z
  .string()
  .regex(/^[A-Z0-9][A-Z0-9-]{1,15}$/)
  .openapi({ example: 'AIR-VIE' });
const details = {
  name: text(200),
  partnerId: Id.nullable().openapi({ description: 'Whose bookings are the agent’s' }),
  customerId: Id.nullable().openapi({
    description: 'The customer that it is where it buys itself',
  }),
  nettingAgreed: z.boolean().openapi({
    description: 'What it owes as a customer may be set off against its commissions',
  }),
};
const partly = {
  partnerId: details.partnerId.optional(),
  customerId: details.customerId.optional(),
  nettingAgreed: details.nettingAgreed.optional(),
};

export const NewAgent = z
  .strictObject({
    ...partly,
    code: AgentCode,
    name: details.name,
    entityId: EntityId.openapi({ description: 'In whose books its commissions are owed' }),
    terms: NewAgentTerms,
  })
  .openapi('NewAgent');

const Status = z.enum(['active', 'ended']);

export const AgentChange = z
  .strictObject({
    ...partly,
    name: details.name.optional(),
    status: Status.optional().openapi({ description: 'One that ended earns on no new rental' }),
  })
  .refine(changesSomething, { message: 'must change something' })
  .openapi('AgentChange');

const header = { id: Id, code: AgentCode, ...details, entityId: EntityId, status: Status };

export const AgentHeader = z.object({ ...header, version: z.int() }).openapi('AgentHeader');

export const Agent = z
  .object({
    ...header,
    terms: z
      .array(z.object({ validFrom: LocalDate, rateBp, kinds: z.array(z.string()).readonly() }))
      .readonly()
      .openapi({ description: 'The newest first' }),
    version: z.int(),
  })
  .openapi('Agent');

export const AgentList = z.strictObject({ ...pageQuery(Id), entityId: EntityId.optional() });

export function headerView(row: AgentRow) {
  return {
    ...{ id: row.id, code: row.code, name: row.name, entityId: row.entity_id },
    ...{ partnerId: row.partner_id, customerId: row.customer_id, version: row.version },
    nettingAgreed: row.netting_agreed,
    status: row.status as z.infer<typeof Status>,
  };
}

export function agentView({ row, terms }: AgentWithTerms) {
  return { ...headerView(row), terms };
}

export const NamedAgent = z
  .strictObject({
    agentId: Id.nullable().openapi({ description: 'null: the rental is nobody’s any more' }),
  })
  .openapi('NamedAgent');

export const RentalAgent = z
  .object({ rentalId: Id, agentId: Id.nullable(), namedAt: UtcInstant, version: z.int() })
  .openapi('RentalAgent');

export const Month = z
  .string()
  .regex(/^20[0-9]{2}-(0[1-9]|1[0-2])$/)
  .openapi({ example: '2027-05' });

const ItemKey = z.string().regex(/^[0-9/a-f-]{20,80}$/);
export const StatementPage = z.strictObject(pageQuery(ItemKey));

const StatementItem = z.object({
  kind: z.enum(['commission', 'reversal', ...PAYOUT_METHODS]),
  postingDate: LocalDate,
  rentalId: Id.nullable(),
  rentalNumber: z.string().nullable(),
  documentNumber: z.string().nullable().openapi({ description: 'The document that carries it' }),
  rateBp: rateBp.nullable(),
  baseMinor: Minor.nullable().openapi({ description: 'Net, of the lines that earn it' }),
  amountMinor: Minor.openapi({ description: 'Below zero the agent is owed less' }),
});

export const AgentStatement = z
  .object({
    agentId: Id,
    entityId: EntityId,
    currency: Currency,
    month: Month,
    openingMinor: Minor.openapi({ description: 'Owed to the agent when the month began' }),
    commissionMinor: Minor,
    reversalMinor: Minor,
    paidMinor: Minor,
    nettedMinor: Minor,
    closingMinor: Minor.openapi({ description: 'The balance of its part of account 2140' }),
    items: z.array(StatementItem).readonly(),
    nextCursor: z.string().nullable(),
  })
  .openapi('AgentStatement');

const amountMinor = z.int().min(1).max(1_000_000_000);
const approvalId = Id.nullable().default(null).openapi({
  description: 'Of kind refund, for the agent and exactly this amount, above your own limit',
});
const paid = { month: Month, amountMinor, approvalId };

export const NewAgentPayout = z
  .discriminatedUnion('method', [
    z.strictObject({
      ...paid,
      method: z.literal('bank-transfer'),
      reference: z.string().regex(/^[A-Z0-9/-]{1,35}$/),
    }),
    z.strictObject({
      ...paid,
      method: z.literal('netting'),
      invoiceId: Id.openapi({ description: 'The agent’s own, in the same books' }),
    }),
  ])
  .openapi('NewAgentPayout');

export const AgentPayout = z
  .object({
    ...{ id: Id, agentId: Id, month: Month, method: z.enum(PAYOUT_METHODS), currency: Currency },
    ...{ amountMinor: Minor, reference: z.string().nullable(), invoiceId: Id.nullable() },
    ...{ approvalId: Id.nullable(), entryId: Id, postingDate: LocalDate },
    ...{ paidBy: z.string(), paidAt: UtcInstant },
  })
  .openapi('AgentPayout');
