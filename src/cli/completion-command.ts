import { basename } from 'node:path'
import { defineCommand } from '../commands/define-command.ts'
import { InvalidArgsError } from '../model/errors/index.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

export interface CompletionData {
  readonly shell: Shell
  readonly script: string
}

export const completion = defineCommand({
  name: 'completion',
  summary: 'Print the completion script for your shell',
  description:
    'The script completes commands, options and choices, and ids, labels, assignees, fields and remotes of the repository; ' +
    'in bash and zsh also after `git grite`. The default shell is taken from SHELL.',
  examples: [
    { command: 'grite completion bash >> ~/.bashrc', explains: 'complete in every new bash' },
    { command: 'grite completion zsh > ~/.zfunc/_grite', explains: 'complete in zsh, with ~/.zfunc in fpath' },
    { command: 'grite completion fish > ~/.config/fish/completions/grite.fish', explains: 'complete in fish' },
  ],
  effect: 'reads',
  cliOnly: true,
  arguments: {
    shell: { summary: `One of ${shells.join(', ')}; default: your login shell`, optional: true, completes: 'shell' },
  },
  options: {},
  async run({ env }, { shell }) {
    const name = shell ?? basename(env.SHELL ?? '')
    const known = shells.find((candidate) => candidate === name)
    if (known === undefined) {
      const got = shell === undefined ? `SHELL is '${env.SHELL ?? ''}'` : `got '${shell}'`
      throw new InvalidArgsError(`shell must be one of ${shells.join(', ')}; ${got}`, {
        details: { field: 'shell', value: name, allowed: shells },
      })
    }
    const { completionScript } = await import('./completion-scripts.ts')
    const data: CompletionData = { shell: known, script: completionScript(known) }
    return { data }
  },
})
