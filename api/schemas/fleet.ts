// The fleet board as it is asked for and shown.
import { z } from '@hono/zod-openapi';
import { BranchId, ClassId, Id, Instant, UtcInstant } from './common.ts';

const MAX_DAYS = 62;
const DAY_MS = 86_400_000;

export const BoardQuery = z
  .strictObject({ branchId: BranchId, classId: ClassId.optional(), from: Instant, to: Instant })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), {
    message: 'must lie after from',
    path: ['to'],
  })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= MAX_DAYS * DAY_MS, {
    message: `must lie at most ${MAX_DAYS} days after from`,
    path: ['to'],
  });

const taken = {
  kind: z.string().openapi({ description: 'What takes the time', example: 'rental' }),
  ref: Id.openapi({ description: 'Of the rental, transfer, or whatever else takes it' }),
  from: UtcInstant,
  to: UtcInstant.nullable().openapi({ description: 'Turnaround included; null: for good' }),
  branchOut: BranchId,
  branchIn: BranchId,
};

const BoardHold = z.object({
  id: Id,
  type: z.string().openapi({ example: 'maintenance' }),
  severity: z.string().openapi({ enum: ['soft', 'hard'] }),
  from: UtcInstant,
  hardFrom: UtcInstant.nullable().openapi({ description: 'When it begins to block' }),
  until: UtcInstant.nullable(),
  limitKm: z.int().nullable().openapi({ description: 'In force past this reading only' }),
});

const BoardVehicle = z.object({
  id: Id,
  plate: z.string(),
  classId: ClassId,
  status: z.string(),
  branchId: BranchId.openapi({ description: 'Where it is, or was last' }),
  holds: z.array(BoardHold),
  spans: z.array(z.object({ ...taken, grip: z.string().openapi({ example: 'tentative' }) })),
});

export const FleetBoard = z
  .object({
    vehicles: z.array(BoardVehicle).openapi({ description: 'In order of class and plate' }),
    unassigned: z
      .array(z.object({ ...taken, classId: ClassId }))
      .openapi({ description: 'Demands of the branch that have no vehicle yet' }),
  })
  .openapi('FleetBoard');
