// The operator's tool for what did not get through: list, replay, discard, parked, retry-parked.
import { parseArgs } from 'node:util';
import { openDb } from '../db/client.ts';
import { kafkaFromEnvironment } from '../events/environment.ts';
import {
  discardHeld,
  listHeld,
  listParked,
  replayHeld,
  retryParked,
  type Selection,
} from '../events/replay.ts';

const USAGE = `dead-letters list [topic] [--id <event id or origin>]   what consumers gave up on
dead-letters replay [topic] [--id <event id or origin>] send it to its topic again, in order
dead-letters discard --id <event id or origin> | <topic>  go on without it, for good
dead-letters parked                             events that Kafka refused
dead-letters retry-parked                       have the relay try those again`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { id: { type: 'string' } },
});
const [command, topic] = positionals;
const selection: Selection = { topic, id: values.id };
const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) throw new Error('Set DATABASE_URL.');
const db = openDb(databaseUrl, { max: 1 });
try {
  await run();
} finally {
  await db.destroy();
}

async function run(): Promise<void> {
  switch (command) {
    case 'list':
      for (const held of await listHeld(db, selection)) console.log(JSON.stringify(held));
      return;
    case 'replay':
      console.log(
        `replayed ${await replayHeld(db, kafkaFromEnvironment('dead-letters'), selection)}`,
      );
      return;
    case 'discard':
      if (topic === undefined && values.id === undefined) break;
      console.log(`discarded ${await discardHeld(db, selection)}`);
      return;
    case 'parked':
      for (const parked of await listParked(db)) console.log(JSON.stringify(parked));
      return;
    case 'retry-parked':
      console.log(`${await retryParked(db)} to be tried again`);
      return;
    default:
  }
  console.error(USAGE);
  process.exitCode = 2;
}
