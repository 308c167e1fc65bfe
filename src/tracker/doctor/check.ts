import type { DoctorScene } from './examination.ts'

/** `warn`: worth knowing, or repaired by the next command. `error`: something does not work, or is lost. */
export type CheckStatus = 'ok' | 'warn' | 'error'

export interface Finding {
  readonly status: CheckStatus
  readonly message: string
  /** What can be done about it, in words; never a command that destroys something. */
  readonly plan?: readonly string[]
  /** What the message counts, by id; long lists are cut. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** One thing that doctor looks at. */
export interface Check {
  readonly id: string
  /** Changes nothing, in this repository or elsewhere. */
  readonly look: (scene: DoctorScene) => Promise<Finding>
  /**
   * Repairs what `look` found, where that can be done without moving a ref or deleting what cannot be made again. Says what
   * was done; null when there was nothing.
   */
  readonly fix?: (scene: DoctorScene, finding: Finding) => Promise<string | null>
}

export const ok = (message: string): Finding => ({ status: 'ok', message })

/** Of a check that rests on another, which has failed and says why. */
export const notLookedAt = (why: string): Finding => ok(`not looked at: ${why}`)

/** Ids that stand in details. */
export const idsListedMax = 20

/** `1 event`, `3 events` */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}

/** The first of some ids, and how many more there are: for messages. */
export function nameSome(ids: readonly string[], total = ids.length, named = 3): string {
  const shown = ids.slice(0, named).join(', ')
  return total > named ? `${shown} and ${total - named} more` : shown
}
