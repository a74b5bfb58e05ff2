// Transactions that begin with their role and principal set, in the round trip that begins them.
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  PostgresDialect,
  PostgresDriver,
  type PostgresPool,
  type TransactionSettings,
} from 'kysely';
import { type Acting, actingText } from './acting-text.ts';
import { literal } from './literal.ts';
import { preparing, type Statements } from './prepared.ts';

/** `origin` is where it was asked for (origin.ts). */
export type Settings = Acting & { readonly origin: string };

const beginning = new AsyncLocalStorage<Settings>();

/** Runs `work`, whose transaction begins with `settings`; they end with it. */
export function beginAs<T>(settings: Settings, work: () => Promise<T>): Promise<T> {
  return beginning.run(settings, work);
}

export class ActingDialect extends PostgresDialect {
  readonly #pool: PostgresPool;

  /** Statements of transactions that write are prepared as `statements` says. */
  constructor(pool: PostgresPool, statements: Statements) {
    super({ pool });
    this.#pool = preparing(pool, statements, isWriting);
  }

  override createDriver(): Driver {
    return new ActingDriver({ pool: this.#pool });
  }
}

function isWriting(): boolean {
  const acting = beginning.getStore();
  return acting !== undefined && acting.role !== 'api_read';
}

class ActingDriver extends PostgresDriver {
  override async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    const acting = beginning.getStore();
    if (acting === undefined) return super.beginTransaction(connection, settings);
    const origin = `set local app.origin = ${literal(acting.origin)}`;
    await connection.executeQuery(CompiledQuery.raw(`begin; ${actingText(acting)}; ${origin}`));
  }
}
