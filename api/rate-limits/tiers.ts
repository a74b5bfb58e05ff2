// Who may ask how often: one tier for each kind of caller, and the quotas that a company starts with.

/**
 * `auth-account` and `auth-peer` count tries to prove an identity; `staff` and `key` count requests
 * of callers who did (a key is an API key, a partner's client or a customer); `webhook` what payment
 * gateways tell; `public` the others.
 */
export const TIERS = ['auth-account', 'auth-peer', 'staff', 'key', 'webhook', 'public'] as const;
export type Tier = (typeof TIERS)[number];

/** Requests in any `WINDOW_S` seconds. */
export type Quotas = Readonly<Record<Tier, number>>;

export const WINDOW_S = 60;

export const DEFAULT_QUOTAS: Quotas = {
  'auth-account': 5,
  'auth-peer': 30,
  staff: 600,
  key: 100,
  webhook: 1_200,
  public: 300,
};

/** Reads RATE_LIMITS: `staff=1200,key=200`; a tier that is not named keeps its default. */
export function quotasFrom(text: string | undefined): Quotas {
  const given = (text ?? '').split(',').filter((entry) => entry.trim() !== '');
  const named = given.map((entry) => {
    const [tier, quota, ...rest] = entry.split('=').map((part) => part.trim());
    if (!isTier(tier) || rest.length > 0 || !/^[1-9][0-9]{0,8}$/.test(quota ?? '')) {
      throw new Error(`RATE_LIMITS: '${entry}' is not <tier>=<requests a minute>.`);
    }
    return [tier, Number(quota)] as const;
  });
  return { ...DEFAULT_QUOTAS, ...Object.fromEntries(named) };
}

function isTier(text: string | undefined): text is Tier {
  return TIERS.includes(text as Tier);
}
