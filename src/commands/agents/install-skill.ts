import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConflictError, InvalidArgsError } from '../../model/index.ts'
import { formatGuide, guideVersion } from '../../tracker/agents/guide.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { findPlace } from '../../tracker/local/find-place.ts'
import { makeFolder, writeOutputFile } from '../../tracker/local/write-file-atomically.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

const skillPath = join('.claude', 'skills', 'grite', 'SKILL.md')
/** Where earlier versions wrote it, and where no agent looks for a skill. */
const formerPath = join('.claude', 'skills', 'grite.md')

export const installSkill = defineCommand({
  name: 'install-skill',
  summary: 'Write the guide for coding agents as a skill',
  description: `Writes ${skillPath} below the top of the work tree, or with --global below your home. The text is that of \`init --agents-md\`.`,
  examples: [
    { command: 'grite install-skill', explains: 'for this repository' },
    { command: 'grite install-skill --global --force', explains: 'for all of yours, replacing an older one' },
  ],
  arguments: {},
  options: {
    global: { type: 'boolean', summary: 'Below your home instead of the work tree' },
    force: { type: 'boolean', summary: 'Replace the file when it is there' },
  },
  async run(context, input) {
    const folder = input.global ? requireHome(context) : await requireWorkTree(context)
    const place = await findPlace(folder, skillPath)
    const isThere = (await stat(place).catch(() => undefined)) !== undefined
    const path = join(folder, skillPath)
    if (isThere && !input.force) {
      throw new ConflictError(`${path} is there already`, {
        details: { path },
        hints: ['`--force` replaces it with the text of this version'],
      })
    }
    await makeFolder(dirname(place))
    const layout = input.global ? undefined : (await context.repository()).layout
    await writeOutputFile(place, formatSkill(), { layout })
    const former = join(folder, formerPath)
    if (existsSync(former)) {
      const message = `${former} is from an earlier version, and is not used any more; delete it if it is only that`
      context.warn({ code: 'former-skill', message, details: { path: former } })
    }
    return { data: { path, action: isThere ? 'updated' : 'created' } }
  },
})

export type InstallSkillInput = GivenInput<typeof installSkill>
export type InstallSkillData = DataOf<typeof installSkill>

function requireHome({ env }: CommandContext): string {
  if (env.HOME !== undefined && env.HOME !== '') return env.HOME
  throw new InvalidArgsError('--global needs HOME to be set', { details: { field: 'global' } })
}

async function requireWorkTree(context: CommandContext): Promise<string> {
  const { workTree } = (await context.repository()).layout
  if (workTree !== null) return workTree
  throw new InvalidArgsError('a bare repository has no work tree for a skill; --global writes it below your home', {
    details: { field: 'global' },
  })
}

/** With the front matter by which agents choose among skills. */
export function formatSkill(): string {
  return [
    '---',
    'name: grite',
    'description: Issues, plans and memory of this repository, kept in git by the tool grite. Use it to find out what to work on, to claim, track and close issues, to record dependencies, and to look up or keep what later sessions should know.',
    `version: ${guideVersion}`,
    '---',
    '',
    formatGuide(1),
  ].join('\n')
}
