// What operators see of a transfer in the Web UI: search attributes and current details.
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { allowedCommands, type TransferState } from '../../domain/transfer.ts';
import { searchAttributes as keys } from '../../temporal-config/names.ts';

/** The branch is where the vehicle is next: of one that departed, where it will arrive. */
function attributesOf(state: TransferState, problem: string | null): SearchAttributeUpdatePair[] {
  const isHere = state.status === 'planned' || state.status === 'cancelled';
  return [
    { key: keys.branchId, value: isHere ? state.fromBranchId : state.toBranchId },
    { key: keys.vehicleId, value: state.vehicleId },
    { key: keys.dueAt, value: new Date(isHere ? state.departsAt : state.arrivesAt) },
    { key: keys.needsAttention, value: state.overdue || problem !== null },
  ];
}

/** Answers what shows a state; only what differs from the last one is upserted. */
export function openTransferView(
  before: { readonly state: TransferState; readonly problem: string | null } | null,
): (state: TransferState, problem: string | null) => void {
  // Search attributes outlive continue-as-new.
  const kept = before === null ? [] : attributesOf(before.state, before.problem);
  let shown = new Map(kept.map(({ key, value }) => [key.name, comparable(value)]));
  return (state, problem) => {
    const now = attributesOf(state, problem);
    const changed = now.filter(({ key, value }) => shown.get(key.name) !== comparable(value));
    shown = new Map(now.map(({ key, value }) => [key.name, comparable(value)]));
    if (changed.length > 0) upsertSearchAttributes(changed);
    setCurrentDetails(detailsOf(state, problem));
  };
}

function comparable(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : value;
}

function detailsOf(state: TransferState, problem: string | null): string {
  const commands = allowedCommands(state.status);
  const rows = [
    ['Status', state.overdue ? `**${state.status}, overdue**` : `**${state.status}**`],
    ['Vehicle', `\`${state.vehicleId}\``],
    ['From, to', `${state.fromBranchId}, ${state.toBranchId}`],
    ['Departs', state.departedAt ?? state.departsAt],
    ['Arrives', state.arrivedAt ?? state.arrivesAt],
    ['Commands now', commands.length === 0 ? 'none' : commands.join(', ')],
    ...(problem === null ? [] : [['Needs a person', problem]]),
  ];
  const lines = rows.map(([name, value]) => `| ${name} | ${value} |`);
  return ['| Transfer | |', '|---|---|', ...lines].join('\n');
}
