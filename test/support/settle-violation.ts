// A process that charges a violation on, for tests that kill it.
import { randomBytes } from 'node:crypto';
import { openDb } from '../../db/client.ts';
import { settleViolation } from '../../db/commands/violation-settlement.ts';
import { openEnvelope } from '../../db/envelope.ts';

const [url = '', id = ''] = process.argv.slice(2);
const envelope = openEnvelope(`test:${randomBytes(32).toString('base64')}`);
await settleViolation(openDb(url), envelope, 'staff:test', { id, settlement: 'recharge' });
