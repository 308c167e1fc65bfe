import { GriteError, NotFoundError } from '../../model/index.ts'
import type { Check, Finding } from '../../tracker/doctor/check.ts'
import { checks } from '../../tracker/doctor/checks.ts'
import { DoctorScene } from '../../tracker/doctor/examination.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

/** What one check found. */
export interface CheckResult extends Finding {
  readonly id: string
}

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Look whether everything is in order, and repair what can be',
  description:
    'Without --fix nothing is changed, and nobody is asked over the network. With it, the view is rebuilt where it is wrong, ' +
    'and what dead processes left is removed. No ref is rewritten, and nothing is deleted that cannot be made again. Exit ' +
    'status 1 when something is an error and stays one; a warning is none.',
  examples: [
    { command: 'grite doctor', explains: 'look' },
    { command: 'grite doctor --fix', explains: 'and repair' },
    { command: 'grite doctor --json', explains: 'with ids and counts, for a script' },
  ],
  heapGrowth: { percent: 25 },
  arguments: {},
  options: { fix: { type: 'boolean', summary: 'Repair what can be repaired without losing anything' } },
  async run(context, { fix }) {
    let repository: Workspace
    try {
      repository = await context.repository()
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error
      const message = `${error.message}; grite works in a git repository`
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
  const scene = new DoctorScene(context, repository)
  try {
    scene.requireTemporaryFolder()
    const found: CheckResult[] = []
    for (const check of checks) found.push({ id: check.id, ...(await look(check, scene)) })
    return found
  } finally {
    await scene.close()
  }
}

/** A check that cannot be made has found something, too, and the others are made all the same. */
async function look(check: Check, scene: DoctorScene): Promise<Finding> {
  try {
    return await check.look(scene)
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    return { status: 'error', message: error.message, ...(error.hints.length === 0 ? {} : { plan: error.hints }) }
  }
}

/** Runs the fix of every check that is not in order, each once, in their order. */
async function repair(
  context: CommandContext,
  repository: Workspace,
  found: readonly CheckResult[],
): Promise<readonly string[]> {
  const done = new Set<Check['fix']>()
  const applied: string[] = []
  const scene = new DoctorScene(context, repository)
  try {
    for (const { id, ...finding } of found) {
      const fix = checks.find((check) => check.id === id)?.fix
      if (finding.status === 'ok' || fix === undefined || done.has(fix)) continue
      done.add(fix)
      try {
        const told = await fix(scene, finding)
        if (told !== null) applied.push(told)
      } catch (error) {
        if (!(error instanceof GriteError)) throw error
        // The others are repaired all the same; what was not is found again.
        context.warn({
          code: 'fix-failed',
          message: `${id} was not repaired: ${error.message}`,
          details: { check: id },
        })
      }
    }
  } finally {
    await scene.close()
  }
  return applied
}
