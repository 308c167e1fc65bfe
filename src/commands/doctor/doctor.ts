import { GriteError, NotFoundError } from '../../model/index.ts'
import type { Check, Finding } from '../../tracker/doctor/check.ts'
import { checks } from '../../tracker/doctor/checks.ts'
import { Examination } from '../../tracker/doctor/examination.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

/** The result of one check. */
export interface CheckResult extends Finding {
  readonly id: string
}

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Check the repository and fix what is safe to fix',
  description:
    'Without --fix, changes nothing and does not use the network. With --fix, rebuilds a wrong view and removes files left ' +
    'by dead processes. It never rewrites a ref and never deletes anything that cannot be recreated. Exits 1 if any error ' +
    'remains; warnings do not count.',
  examples: [
    { command: 'grite doctor', explains: 'check only' },
    { command: 'grite doctor --fix', explains: 'check and fix' },
    { command: 'grite doctor --json', explains: 'with ids and counts, for a script' },
  ],
  heapGrowthPercent: 25,
  effect: 'sets',
  arguments: {},
  options: { fix: { type: 'boolean', summary: 'Fix what can be fixed without losing data' } },
  async run(context, { fix }) {
    let repository: Workspace
    try {
      repository = await context.repository()
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error
      const message = `${error.message}; grite needs a git repository`
      return { data: { checks: [{ id: 'git_repo', status: 'error' as const, message }], applied: [] }, exitStatus: 1 }
    }
    let found = await lookAtAll(context, repository)
    const applied = fix ? await repair(context, repository, found) : []
    if (applied.length > 0) found = await lookAtAll(context, repository)
    return {
      data: { checks: found, applied },
      exitStatus: found.some(({ status }) => status === 'error') ? 1 : 0,
    }
  },
})

export type DoctorInput = GivenInput<typeof doctor>
export type DoctorData = DataOf<typeof doctor>

async function lookAtAll(context: CommandContext, repository: Workspace): Promise<CheckResult[]> {
  const examination = new Examination(context, repository)
  try {
    examination.requireTemporaryFolder()
    const found: CheckResult[] = []
    for (const check of checks) found.push({ id: check.id, ...(await look(check, examination)) })
    return found
  } finally {
    await examination.close()
  }
}

/** Runs one check. A check that fails with an error is itself a finding; the remaining checks still run. */
async function look(check: Check, examination: Examination): Promise<Finding> {
  try {
    return await check.look(examination)
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    return { status: 'error', message: error.message, ...(error.hints.length === 0 ? {} : { plan: error.hints }) }
  }
}

/** Runs the fixes of all checks that are not `ok`, each fix once, in the order of the checks. */
async function repair(
  context: CommandContext,
  repository: Workspace,
  found: readonly CheckResult[],
): Promise<readonly string[]> {
  const done = new Set<Check['fix']>()
  const applied: string[] = []
  const examination = new Examination(context, repository)
  try {
    for (const { id, ...finding } of found) {
      const fix = checks.find((check) => check.id === id)?.fix
      if (finding.status === 'ok' || fix === undefined || done.has(fix)) continue
      done.add(fix)
      try {
        const told = await fix(examination, finding)
        if (told !== null) applied.push(told)
      } catch (error) {
        if (!(error instanceof GriteError)) throw error
        // Continue with the other fixes. The checks run again afterwards and report this problem.
        context.warn({
          code: 'fix-failed',
          message: `could not fix ${id}: ${error.message}`,
          details: { check: id },
        })
      }
    }
  } finally {
    await examination.close()
  }
  return applied
}
