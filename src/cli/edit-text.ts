/** The user's editor on a draft. The draft lies in a private directory that is gone when the editor has ended. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidArgsError } from '../model/errors/index.ts'
import type { ProcessFacts } from './process-facts.ts'

/** @returns undefined when the text was left empty */
export async function editText(
  facts: Pick<ProcessFacts, 'env' | 'onInterrupt' | 'leaveInterrupts' | 'cwd'>,
  interactive: boolean,
  draft: string,
): Promise<string | undefined> {
  if (!interactive) {
    throw new InvalidArgsError('no terminal to open an editor on; give the text with an option or on standard input')
  }
  const editor = chooseEditor(facts.env)
  const directory = await mkdtemp(join(facts.env.TMPDIR ?? tmpdir(), 'grite-'))
  const remove = () => rm(directory, { recursive: true, force: true })
  const forget = facts.onInterrupt(remove)
  // Ctrl-C in an editor is a key of the editor.
  const takeBack = facts.leaveInterrupts()
  try {
    const path = join(directory, 'GRITE_EDITMSG.md')
    await writeFile(path, draft, { mode: 0o600, flag: 'wx' })
    await runEditor(editor, path, facts)
    const text = await readFile(path, 'utf8')
    return text.trim() === '' ? undefined : text
  } finally {
    takeBack()
    await remove()
    forget()
  }
}

/** git's order, without asking git: GIT_EDITOR, VISUAL unless the terminal is dumb, EDITOR, vi. */
export function chooseEditor(env: Readonly<Record<string, string | undefined>>): string {
  const visual = env.TERM === 'dumb' ? undefined : env.VISUAL
  return env.GIT_EDITOR || visual || env.EDITOR || 'vi'
}

/**
 * Through the shell like git, since these variables hold command lines; the path is an argument. Plain words, as in
 * `code --wait`, need no shell, and a shell in between would die of a Ctrl-C that the editor takes for itself.
 */
function runEditor(editor: string, path: string, facts: Pick<ProcessFacts, 'env' | 'cwd'>): Promise<void> {
  return new Promise((resolve, reject) => {
    const needsShell = /[|&;<>()$`\\"'*?[#~=%\n]/.test(editor)
    const [program = '', ...words] = needsShell
      ? ['/bin/sh', '-c', `${editor} "$@"`, editor]
      : editor.split(/\s+/).filter(Boolean)
    const child = spawn(program, [...words, path], {
      stdio: 'inherit',
      cwd: facts.cwd(),
      env: facts.env,
    })
    child.on('error', (cause) => {
      reject(new InvalidArgsError(`the editor '${editor}' cannot be run: ${cause.message}`, { cause }))
    })
    child.on('close', (status, signal) => {
      if (status === 0) resolve()
      else {
        const how = signal === null ? `status ${status}` : `signal ${signal}`
        reject(new InvalidArgsError(`the editor '${editor}' ended with ${how}; nothing was changed`))
      }
    })
  })
}
