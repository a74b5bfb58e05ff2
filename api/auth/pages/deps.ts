// What the pages are given, and what they hand to each other.

import type { Provider } from 'oidc-provider';
import type { Db } from '../../../db/client.ts';
import type { SignIn } from '../sign-in.ts';
import type { Context } from './context.ts';
import type { TryDeps } from './tries.ts';
import type { Upstream } from './upstream.ts';

export type PageDeps = TryDeps & {
  readonly db: Db;
  readonly signIn: SignIn;
  readonly issuer: string;
  readonly cookieKeys: readonly string[];
  readonly secure: boolean;
  /** Sign-in by another identity provider, where one is configured. */
  readonly upstream: Upstream | undefined;
};

/** One request to a page. */
export type Visit = { readonly ctx: Context; readonly provider: Provider };

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** One request within a sign-in that an application began. */
export type Step = Visit & { readonly interaction: Interaction };
