// Reads of held quotes.
import { sql } from 'kysely';
import type { HeldQuote } from '../../domain/held-quote.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { QUOTE_COLUMNS } from '../commands/held-quotes.ts';

export function heldQuoteById(db: Db, acting: Acting, id: string): Promise<HeldQuote | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<HeldQuote>`select ${QUOTE_COLUMNS} from rentals.held_quote
      where id = ${id}`.execute(tx);
    return rows[0];
  });
}
