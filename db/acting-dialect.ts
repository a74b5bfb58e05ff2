// Transactions that begin with their role and principal set, in the round trip that begins them.
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type TransactionSettings,
} from 'kysely';
import { type Acting, actingText } from './acting-text.ts';
import { literal } from './literal.ts';

/** `origin` is where it was asked for (origin.ts). */
export type Settings = Acting & { readonly origin: string };

const beginning = new AsyncLocalStorage<Settings>();

/** Runs `work`, whose transaction begins with `settings`; they end with it. */
export function beginAs<T>(settings: Settings, work: () => Promise<T>): Promise<T> {
  return beginning.run(settings, work);
}

export class ActingDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new ActingDriver(this.#config);
  }
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
