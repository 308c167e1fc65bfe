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
/** Path used by earlier versions; agents do not look for skills there. */
const formerPath = join('.claude', 'skills', 'grite.md')

export const installSkill = defineCommand({
  name: 'install-skill',
  summary: 'Install the guide for coding agents as a skill',
  description: `Writes ${skillPath} in the work tree or, with --global, in your home directory. The text is the same as that of \`init --agents-md\`.`,
  examples: [
    { command: 'grite install-skill', explains: 'for this repository' },
    {
      command: 'grite install-skill --global --force',
      explains: 'for all your repositories, replacing an older version',
    },
  ],
  arguments: {},
  options: {
    global: { type: 'boolean', summary: 'Install in your home directory' },
    force: { type: 'boolean', summary: 'Overwrite an existing file' },
  },
  async run(context, input) {
    const folder = input.global ? requireHome(context) : await requireWorkTree(context)
    const place = await findPlace(folder, skillPath)
    const isThere = (await stat(place).catch(() => undefined)) !== undefined
    const path = join(folder, skillPath)
    if (isThere && !input.force) {
      throw new ConflictError(`${path} already exists`, {
        details: { path },
        hints: ['Pass `--force` to replace it with the text of this version'],
      })
    }
    await makeFolder(dirname(place))
    const layout = input.global ? undefined : (await context.repository()).layout
    await writeOutputFile(place, formatSkill(), { layout })
    const former = join(folder, formerPath)
    if (existsSync(former)) {
      const message = `${former} is from an earlier version and no longer used; delete it unless you have edited it`
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
  throw new InvalidArgsError(
    'a bare repository has no work tree for a skill; use --global to install it in your home directory',
    {
      details: { field: 'global' },
    },
  )
}

/** Returns the guide with the front matter from which agents choose skills. */
export function formatSkill(): string {
  return [
    '---',
    'name: grite',
    'description: Issues, plans and memory of this repository, kept in git by the tool grite. Use it to find work, to claim, track and close issues, to record dependencies, and to read or save notes for later sessions.',
    `version: ${guideVersion}`,
    '---',
    '',
    formatGuide(1),
  ].join('\n')
}
