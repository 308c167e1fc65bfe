import { type Fields, isFieldValue } from './fields.ts'

/** The due date, null when there is none or the field does not hold a day that exists. */
export function dueOf({ due }: Fields): string | null {
  return due !== undefined && isFieldValue('due', due) ? due : null
}

/** Whether an open issue should have been done before today. Days are those of UTC, the same in every clone. */
export function isOverdue(issue: { readonly state: string; readonly fields: Fields }, nowUnixMs: number): boolean {
  const due = dueOf(issue.fields)
  return issue.state === 'open' && due !== null && due < new Date(nowUnixMs).toISOString().slice(0, 10)
}
