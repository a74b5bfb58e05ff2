// Setting Temporal up: everything is there afterwards, twice is as good as once.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { Client, Connection } from '@temporalio/client';
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

test('the fleet is proved each night at 02:30 UTC, one proof at a time', async () => {
  const address = inject('servers').temporalAddress;
  const namespace = `setup-${randomBytes(4).toString('hex')}`;
  await setUpTemporal(address, namespace);
  const connection = await Connection.connect({ address });
  try {
    const { spec, action, policies } = await new Client({ connection, namespace }).schedule
      .getHandle('fleet-proof')
      .describe();
    expect(spec.calendars).toMatchObject([
      { hour: [{ start: 2, end: 2 }], minute: [{ start: 30, end: 30 }] },
    ]);
    expect(action).toMatchObject({ workflowType: 'fleetProof', taskQueue: 'rentals' });
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 6 * 60 * 60 * 1_000 });
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
