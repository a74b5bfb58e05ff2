// Commands that change a vehicle's status.
import { z } from '@hono/zod-openapi';
import { Instant, text } from './common.ts';

const reason = text(500).openapi({ description: 'For the audit log' });

export const StatusChange = z.strictObject({ reason }).openapi('VehicleStatusChange');

export const SaleHold = z
  .strictObject({
    reason,
    from: Instant.optional().openapi({
      description: 'Left out: now. A later one is planned: the vehicle serves until then',
    }),
  })
  .openapi('VehicleSaleHold');
