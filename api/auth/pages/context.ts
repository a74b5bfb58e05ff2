// One request as the protocol library hands it on: Koa's, whose types are not ours to depend on.
import type { Provider } from 'oidc-provider';

export type Context = ReturnType<Provider['createContext']>;
export type Middleware = Parameters<Provider['use']>[0];
