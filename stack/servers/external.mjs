// A server whose address the environment gives: it is checked, never started or stopped.
import { answers } from '../ports.mjs';
import { StackError } from '../progress.mjs';

/** @returns {Promise<object>} a part without a command */
export async function externalPart(id, name, address, variable, host, port) {
  if (!(await answers(host, port))) {
    throw new StackError(
      `${name}: nothing answers at ${host}:${port}, which ${variable} names: start it or unset ${variable}.`,
    );
  }
  // Without the user and password that a URL may hold.
  return { id, name, address: address.replace(/\/\/[^@/]*@/, '//'), how: variable, external: true };
}

/** Host and port of the first of `host:port,host:port`. */
export function firstOf(addresses) {
  const [host, port] = addresses.split(',')[0].split(':');
  return [host, Number(port)];
}

/** Host and port of a URL. */
export function endOf(url, standardPort) {
  const { hostname, port } = new URL(url);
  return [hostname, Number(port || standardPort)];
}
