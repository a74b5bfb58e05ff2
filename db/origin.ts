// From where the work at hand was asked for: handed past all callers to the audit log.
import { AsyncLocalStorage } from 'node:async_hooks';

const origins = new AsyncLocalStorage<string>();

/**
 * `origin` is an address and a request, for people to read. Every transaction that `work` opens
 * writes it into its audit entries.
 */
export function withOrigin<T>(origin: string, work: () => Promise<T>): Promise<T> {
  return origins.run(origin, work);
}

/** Empty for what the system does by itself. */
export function currentOrigin(): string {
  return origins.getStore() ?? '';
}
