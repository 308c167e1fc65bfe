import { type Fields, isFieldValue } from './fields.ts'
import { dayOf, parseDay } from './moment.ts'

/** The due date, null when there is none or the field does not hold a day that exists. */
export function dueOf({ due }: Fields): string | null {
  return due !== undefined && isFieldValue('due', due) ? due : null
}

/** Days until an issue is due, counted in UTC: 0 on the day itself, less when it has passed. Undefined without a date. */
export function daysUntilDue(fields: Fields, nowUnixMs: number): number | undefined {
  const day = parseDay(dueOf(fields) ?? '')
  return day === undefined ? undefined : day - dayOf(nowUnixMs)
}

/** Whether an open issue should have been done before today. Days are those of UTC, the same in every clone. */
export function isOverdue(issue: { readonly state: string; readonly fields: Fields }, nowUnixMs: number): boolean {
  return issue.state === 'open' && (daysUntilDue(issue.fields, nowUnixMs) ?? 0) < 0
}
