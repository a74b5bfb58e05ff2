// Setting Temporal up: everything is there afterwards, twice is as good as once.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { Connection } from '@temporalio/client';
import { expect, inject, test } from 'vitest';
import { searchAttributes } from '../../temporal-config/names.ts';
import { setUpTemporal } from '../../temporal-config/setup.ts';

test('a namespace with 30 days of retention and all search attributes; a repeat changes nothing', async () => {
  const address = inject('servers').temporalAddress;
  const namespace = `setup-${randomBytes(4).toString('hex')}`;
  await setUpTemporal(address, namespace);
  await setUpTemporal(address, namespace);
  const connection = await Connection.connect({ address });
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 60 * 60);
    const known = await connection.operatorService.listSearchAttributes({ namespace });
    const names = Object.values(searchAttributes).map((key) => key.name);
    expect(Object.keys(known.customAttributes)).toEqual(expect.arrayContaining(names));
  } finally {
    await connection.close();
  }
});

test('a server that does not answer is named by its address', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { readonly port: number };
  await new Promise((resolve) => silent.close(resolve));
  const address = `127.0.0.1:${port}`;
  await expect(setUpTemporal(address, 'nowhere', 500)).rejects.toThrow(
    `Temporal did not answer at ${address}`,
  );
});
