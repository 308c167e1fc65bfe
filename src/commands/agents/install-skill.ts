import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConflictError, InvalidArgsError } from '../../model/index.ts'
import { planAgentsMd } from '../../tracker/agents/agents-md.ts'
import { formatGuide, guideVersion } from '../../tracker/agents/guide.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { findPlace } from '../../tracker/local/find-place.ts'
import { makeFolder, writeOutputFile } from '../../tracker/local/write-file-atomically.ts'
import { type CommandResult, type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

/** Where a tool looks for such a text, from the top of the work tree or the home directory. */
interface SkillPlace {
  readonly path: string
  /** Whether the tool has such a file in the home directory as well. */
  readonly isInHome: boolean
  readonly format: () => string
}

/**
 * By the documentation of the tools: Claude Code and Codex load a skill when its description fits the task, Cursor does so
 * with a rule.
 */
const places = {
  claude: { path: join('.claude', 'skills', 'grite', 'SKILL.md'), isInHome: true, format: formatSkill },
  codex: { path: join('.agents', 'skills', 'grite', 'SKILL.md'), isInHome: true, format: formatSkill },
  cursor: { path: join('.cursor', 'rules', 'grite.mdc'), isInHome: false, format: formatRule },
} as const satisfies Record<string, SkillPlace>

/** Tools that read only AGENTS.md get the section that `init --agents-md` writes. */
const tools = ['claude', 'codex', 'cursor', 'generic'] as const
type Tool = (typeof tools)[number]

/** Path used by earlier versions; agents do not look for skills there. */
const formerPath = join('.claude', 'skills', 'grite.md')

export const installSkill = defineCommand({
  name: 'install-skill',
  summary: 'Install the guide for coding agents where they look for it',
  description: [
    'Writes the guide for one tool into the work tree or, with --global, into your home directory:',
    ...tools.map(
      (tool) =>
        `  ${tool}: ${tool === 'generic' ? 'a section of AGENTS.md, like `init --agents-md`' : places[tool].path}`,
    ),
    'The text is the same for all. cursor and generic have no --global.',
  ].join('\n'),
  examples: [
    { command: 'grite install-skill', explains: 'for Claude Code, in this repository' },
    { command: 'grite install-skill --for codex', explains: 'for Codex' },
    {
      command: 'grite install-skill --global --force',
      explains: 'for all your repositories, replacing an older version',
    },
  ],
  effect: 'destroys',
  arguments: {},
  options: {
    for: { type: 'text', valueName: 'tool', choices: tools, summary: 'Tool to install for; default claude' },
    global: { type: 'boolean', summary: 'Install in your home directory' },
    force: { type: 'boolean', summary: 'Overwrite an existing file' },
  },
  async run(context, input): Promise<CommandResult<InstalledSkill>> {
    const tool = (input.for ?? 'claude') as Tool
    if (input.global && (tool === 'generic' || !places[tool].isInHome)) {
      throw new InvalidArgsError(`--global is not possible with --for ${tool}, which has no such file`, {
        details: { field: 'global', for: tool, allowed: ['claude', 'codex'] },
      })
    }
    if (tool === 'generic') {
      await requireWorkTree(context)
      const change = await planAgentsMd((await context.repository()).layout)
      await change.write()
      return { data: { path: change.path, action: change.action, for: tool } }
    }
    const { path: way, format } = places[tool]
    const folder = input.global ? requireHome(context) : await requireWorkTree(context)
    const place = await findPlace(folder, way)
    const isThere = (await stat(place).catch(() => undefined)) !== undefined
    const path = join(folder, way)
    if (isThere && (await readFile(place, 'utf8').catch(() => null)) === format()) {
      return { data: { path, action: 'unchanged', for: tool } }
    }
    if (isThere && !input.force) {
      throw new ConflictError(`${path} already exists`, {
        details: { path },
        hints: ['Pass `--force` to replace it with the text of this version'],
      })
    }
    await makeFolder(dirname(place))
    const layout = input.global ? undefined : (await context.repository()).layout
    await writeOutputFile(place, format(), { layout })
    const former = join(folder, formerPath)
    if (tool === 'claude' && existsSync(former)) {
      const message = `${former} is from an earlier version and no longer used; delete it unless you have edited it`
      context.warn({ code: 'former-skill', message, details: { path: former } })
    }
    return { data: { path, action: isThere ? 'updated' : 'created', for: tool } }
  },
})

interface InstalledSkill {
  readonly path: string
  /** `skipped`: AGENTS.md has a section about grite without our markers. */
  readonly action: 'created' | 'updated' | 'unchanged' | 'skipped'
  readonly for: Tool
}

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

const description =
  'Issues, plans and memory of this repository, kept in git by the tool grite. Use it to find work, to claim, track and close issues, to record dependencies, and to read or save notes for later sessions.'

/** Returns the guide with the front matter from which agents choose skills. */
export function formatSkill(): string {
  return withFrontMatter(['name: grite', `description: ${description}`, `version: ${guideVersion}`])
}

/** Returns the guide with the front matter from which Cursor chooses rules. */
export function formatRule(): string {
  return withFrontMatter([`description: ${description}`, 'alwaysApply: false'])
}

function withFrontMatter(lines: readonly string[]): string {
  return ['---', ...lines, '---', '', formatGuide(1)].join('\n')
}
