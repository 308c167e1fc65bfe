import type { Examination } from './examination.ts'

/** `warn`: worth knowing, or fixed by the next command. `error`: something does not work, or is lost. */
export type CheckStatus = 'ok' | 'warn' | 'error'

export interface Finding {
  readonly status: CheckStatus
  readonly message: string
  /** Suggested steps; never a destructive command. */
  readonly plan?: readonly string[]
  /** Ids behind the counts of the message; long lists are truncated. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** One check of doctor. */
export interface Check {
  readonly id: string
  /** Must not change anything, in this repository or elsewhere. */
  readonly look: (examination: Examination) => Promise<Finding>
  /**
   * Fixes the finding of `look` if that is possible without moving a ref or deleting anything that cannot be recreated.
   * Returns what was done, or null when there was nothing to do.
   */
  readonly fix?: (examination: Examination, finding: Finding) => Promise<string | null>
}

export const ok = (message: string): Finding => ({ status: 'ok', message })

/** The finding of a check that was skipped because another check failed, which reports the reason. */
export const notChecked = (why: string): Finding => ok(`not checked: ${why}`)

/** Maximum number of ids in details. */
export const idsListedMax = 20

/** `1 event`, `3 events` */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}

/** The first ids and the number of further ones, for messages. */
export function nameSome(ids: readonly string[], total = ids.length, named = 3): string {
  const shown = ids.slice(0, named).join(', ')
  return total > named ? `${shown} and ${total - named} more` : shown
}
