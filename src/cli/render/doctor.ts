import type { DoctorData } from '../../commands/doctor/doctor.ts'
import { escapeLine } from './escape-for-terminal.ts'
import type { Renderer } from './renderer.ts'

const marks = { ok: '[ok]', warn: '[!!]', error: '[ERR]' } as const

/** With `--quiet`, omits checks that are `ok`. */
export const renderDoctor: Renderer<DoctorData> = ({ checks, applied }, { quiet, style }) => {
  const paint = { ok: style.good, warn: style.attention, error: style.bad }
  const lines = checks
    .filter(({ status }) => !quiet || status !== 'ok')
    .flatMap(({ id, status, message, plan = [] }) => [
      `${paint[status](marks[status])} ${id}: ${escapeLine(message)}`,
      ...plan.map((text) => `     -> ${escapeLine(text)}`),
    ])
  if (applied.length > 0) lines.push(`Applied fixes: ${applied.map(escapeLine).join(', ')}`)
  return lines.map((line) => `${line}\n`).join('')
}
