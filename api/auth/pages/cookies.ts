// The names of cookies: over HTTPS, browsers hold them to what their prefix promises.

/**
 * `__Host-` is for all of this host and none else, `__Secure-` for a part of it (RFC 6265bis section
 * 4.1.3). Over plain HTTP, on a developer's machine, browsers would refuse both.
 */
export function cookieName(name: string, secure: boolean, path = '/'): string {
  if (!secure) return name;
  return `${path === '/' ? '__Host-' : '__Secure-'}${name}`;
}
