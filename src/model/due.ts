import { type Fields, isFieldValue } from './fields.ts'
import { dayOf, parseDay } from './moment.ts'

/** The due date; null when there is none or the field does not hold a real date. */
export function dueOf({ due }: Fields): string | null {
  return due !== undefined && isFieldValue('due', due) ? due : null
}

/** Days until an issue is due, in UTC: 0 on the day itself, negative afterwards. Undefined without a date. */
export function daysUntilDue(fields: Fields, nowUnixMs: number): number | undefined {
  const due = dueOf(fields)
  const day = due === null ? undefined : parseDay(due)
  return day === undefined ? undefined : day - dayOf(nowUnixMs)
}

/** Whether an open issue was due before today. Days are UTC, so that every clone agrees. */
export function isOverdue(issue: { readonly state: string; readonly fields: Fields }, nowUnixMs: number): boolean {
  return issue.state === 'open' && (daysUntilDue(issue.fields, nowUnixMs) ?? 0) < 0
}

/** The day until which an issue is deferred; null when there is none or it is not a real date. */
export function deferOf({ defer }: Fields): string | null {
  return defer !== undefined && isFieldValue('defer', defer) ? defer : null
}

/** Whether an issue is deferred to a day after today, in UTC. */
export function isDeferred(fields: Fields, nowUnixMs: number): boolean {
  const defer = deferOf(fields)
  const day = defer === null ? undefined : parseDay(defer)
  return day !== undefined && day > dayOf(nowUnixMs)
}
