// The public contract of the recall workflow: what others may send it and what it answers.
import { defineQuery, defineUpdate } from '@temporalio/workflow';
import type { RecallChange, RecallNotice, RecallState } from '../domain/recall.ts';
import type { Envelope } from './rental.messages.ts';

export type OpenRecall = { readonly recallId: string; readonly notice: RecallNotice };

/** An Update, because whoever enters a notice must hear why not, and how many vehicles it means. */
export const open = defineUpdate<RecallState, [Envelope<OpenRecall>]>('open');

export type AmendRecall = {
  readonly recallId: string;
  /** Of the row, as whoever changes it read it. */
  readonly version: number;
  readonly change: RecallChange;
};

/** An Update, because another deadline is another timer, and a refusal must be heard. */
export const amend = defineUpdate<RecallState, [Envelope<AmendRecall>]>('amend');

export const recallState = defineQuery<RecallState | null>('recallState');
