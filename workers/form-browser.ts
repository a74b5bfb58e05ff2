// The least of a browser: keeps cookies, follows redirects within one site, and sends forms.

export type Page = {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
};

export type FormBrowser = {
  /** Opens an address; follows redirects until a page comes or they leave the site. */
  readonly open: (address: string) => Promise<Page>;
  /** Sends the page's form whose action ends with `action`, with its hidden fields and these. */
  readonly submit: (
    page: Page,
    action: string,
    fields?: Readonly<Record<string, string>>,
  ) => Promise<Page>;
  /** Sends a form that no page offered. */
  readonly post: (
    address: string,
    fields: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Page>;
  readonly cookies: () => ReadonlyMap<string, string>;
};

const MAX_REDIRECTS = 10;

type Cookie = { readonly name: string; readonly value: string; readonly path: string };

/** `origins` are the sites whose pages it opens; an address elsewhere is answered, not fetched. */
export function formBrowser(...origins: readonly string[]): FormBrowser {
  const jar = new Map<string, Cookie>();
  const request = async (url: URL, init: RequestInit): Promise<Page> => {
    const headers = new Headers(init.headers);
    headers.set('accept', 'text/html');
    headers.set('user-agent', 'Firefox/140.0 (Linux)');
    const cookie = cookiesFor(jar, url);
    if (cookie !== '') headers.set('cookie', cookie);
    const answer = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) keep(jar, url, line);
    return { url, status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const follow = async (first: Page): Promise<Page> => {
    let page = first;
    for (let n = 0; n < MAX_REDIRECTS; n += 1) {
      const location = page.headers.get('location');
      if (page.status < 300 || page.status > 399 || location === null) return page;
      const url = new URL(location, page.url);
      if (!origins.includes(url.origin)) return { ...page, url, text: '' };
      page = await request(url, {});
    }
    throw new Error('It redirects for ever.');
  };
  const post: FormBrowser['post'] = async (address, fields, headers = {}) => {
    const url = new URL(address);
    const body = new URLSearchParams(fields);
    return follow(
      await request(url, {
        method: 'POST',
        body,
        headers: { origin: url.origin, 'sec-fetch-site': 'same-origin', ...headers },
      }),
    );
  };
  return {
    open: async (address) => follow(await request(new URL(address), {})),
    submit: (page, action, fields = {}) => {
      const form = formOf(page, action);
      return post(form.action, { ...form.hidden, ...fields });
    },
    post,
    cookies: () => new Map([...jar.values()].map(({ name, value }) => [name, value])),
  };
}

function formOf({ text, url }: Page, action: string) {
  for (const [, head = '', inside = ''] of text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)) {
    const target = new URL(/action="([^"]*)"/.exec(head)?.[1] ?? '', url);
    if (!target.pathname.endsWith(action)) continue;
    const inputs = [...inside.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
    return {
      action: target.href,
      hidden: Object.fromEntries(inputs.map(([, name, value]) => [name, value])),
    };
  }
  const title = /<title>([^<]*)/.exec(text)?.[1];
  throw new Error(`The page "${title}" (${url.pathname}) has no form for ${action}.`);
}

function cookiesFor(jar: ReadonlyMap<string, Cookie>, { host, pathname }: URL): string {
  const sent = [...jar].filter(
    ([key, { path }]) =>
      key.startsWith(`${host} `) &&
      (pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)),
  );
  return sent.map(([, { name, value }]) => `${name}=${value}`).join('; ');
}

function keep(jar: Map<string, Cookie>, { host, pathname }: URL, line: string): void {
  const [pair = '', ...attributes] = line.split(/;\s*/);
  const at = pair.indexOf('=');
  const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
  const named = (wanted: string) =>
    attributes.find((attribute) => attribute.toLowerCase().startsWith(`${wanted}=`))?.split('=')[1];
  const path = named('path') ?? pathname;
  const key = `${host} ${path} ${name}`;
  const expires = named('expires');
  if (expires !== undefined && Date.parse(expires) < Date.now()) jar.delete(key);
  else jar.set(key, { name, value, path });
}
