// The facts of the people domain: staff, partners, their keys and approvals.

type StaffFact = { readonly staffId: string; readonly status: string };

type ApiClientFact = { readonly clientId: string; readonly partnerId: string };

/** `owner` is a principal. */
type ApiKeyFact = { readonly keyId: string; readonly owner: string };

type ApprovalFact = {
  readonly approvalId: string;
  readonly kind: string;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly amount: number;
  readonly status: string;
};

/** Data by event type. */
export type PeopleEvents = {
  readonly 'forecourt.staff.hired.v1': StaffFact;
  readonly 'forecourt.staff.changed.v1': StaffFact;
  readonly 'forecourt.staff.password-changed.v1': { readonly staffId: string };
  readonly 'forecourt.partner.registered.v1': { readonly partnerId: string };
  readonly 'forecourt.partner.changed.v1': { readonly partnerId: string; readonly status: string };
  readonly 'forecourt.api-client.created.v1': ApiClientFact;
  readonly 'forecourt.api-client.revoked.v1': ApiClientFact;
  readonly 'forecourt.api-key.created.v1': ApiKeyFact;
  readonly 'forecourt.api-key.revoked.v1': ApiKeyFact;
  readonly 'forecourt.approval.requested.v1': ApprovalFact;
  readonly 'forecourt.approval.decided.v1': ApprovalFact;
};
