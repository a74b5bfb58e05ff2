// What operators see of a rental in the Web UI: search attributes and current details.
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import { allowedCommands, type RentalRequest, type RentalState } from '../../domain/rental.ts';
import { needsAttention } from '../../domain/rental-attention.ts';
import { searchAttributes as keys } from '../../temporal-config/names.ts';

/** Values by attribute name: ids, codes and instants only, because the server reads them. */
export type View = {
  readonly status: string;
  readonly branchId: string;
  readonly vehicleId: string | null;
  readonly customerId: string;
  readonly dueAt: string;
  readonly needsAttention: boolean;
};

/** `stuck`: a timer's command was refused, which only a person can clear up. `now` is in UTC. */
export function viewOf(state: RentalState, stuck: boolean, now: string): View {
  const { status, branchId, vehicleId, customerId, dueAt } = state;
  const attention = stuck || needsAttention(state, now);
  return { status, branchId, vehicleId, customerId, dueAt, needsAttention: attention };
}

/** A refused request has no rental; operators still find it by branch and customer. */
export function refusedView({ branchId, customerId, dueAt }: RentalRequest): View {
  const status = 'refused';
  return { status, branchId, vehicleId: null, customerId, dueAt, needsAttention: false };
}

/** Only what differs: each upsert is an event and a visibility write. */
export function changedAttributes(before: View | null, after: View): SearchAttributeUpdatePair[] {
  const changed = (name: keyof View) =>
    before === null ? after[name] !== null : before[name] !== after[name];
  const pairs: SearchAttributeUpdatePair[] = [];
  if (changed('status')) pairs.push({ key: keys.rentalStatus, value: after.status });
  if (changed('branchId')) pairs.push({ key: keys.branchId, value: after.branchId });
  if (changed('vehicleId')) pairs.push({ key: keys.vehicleId, value: after.vehicleId });
  if (changed('customerId')) pairs.push({ key: keys.customerId, value: after.customerId });
  if (changed('dueAt')) pairs.push({ key: keys.dueAt, value: new Date(after.dueAt) });
  if (changed('needsAttention')) {
    pairs.push({ key: keys.needsAttention, value: after.needsAttention });
  }
  return pairs;
}

/** Those that it had before, with the time of each exchange. */
function exchangedRow({ exchanged = [] }: RentalState): string[][] {
  if (exchanged.length === 0) return [];
  const before = exchanged.map(({ vehicleId, to }) => `\`${vehicleId}\` until ${to}`);
  return [['Had before', before.join(', ')]];
}

/** Markdown for the Web UI's workflow page. */
export function detailsOf(state: RentalState, problem: string | null): string {
  const commands = allowedCommands(state.status);
  const rows = [
    ['Number', state.number],
    ['Status', state.overdue ? `**${state.status}, overdue**` : `**${state.status}**`],
    ['Vehicle', state.vehicleId === null ? '**none**' : `\`${state.vehicleId}\``],
    ...exchangedRow(state),
    ['Class, branch', `${state.classId}, ${state.branchId}`],
    ...(state.status === 'requested' ? [['To be answered by', state.answerBy ?? '']] : []),
    ['Pick-up', state.pickUpAt],
    ['Due', state.dueAt],
    ['Invoice', state.invoiceNumber ?? 'none yet'],
    ...(state.cycleEndsAt ? [['Billed next', state.cycleEndsAt]] : []),
    ...(state.arrears ? [['Arrears', '**an invoice is overdue**']] : []),
    ['Commands now', commands.length === 0 ? 'none' : commands.join(', ')],
    ...(problem === null ? [] : [['Needs a person', problem]]),
  ];
  const lines = rows.map(([name, value]) => `| ${name} | ${value} |`);
  return ['| Rental | |', '|---|---|', ...lines].join('\n');
}
