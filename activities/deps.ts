// What the worker process gives its activities.
import type { Db } from '../db/client.ts';

export type ActivityDeps = { readonly db: Db };
