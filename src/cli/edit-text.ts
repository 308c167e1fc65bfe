/**
 * Opens the user's editor with a draft.
 *
 * Invariants
 * - A written text survives every later failure: its file is deleted only after the command has succeeded, or if the user
 *   wrote nothing.
 * - Drafts are below `.git/grite/drafts`, never in the work tree.
 */
import { isUtf8 } from 'node:buffer'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { InvalidArgsError } from '../model/errors/index.ts'
import type { ProcessFacts } from './process-facts.ts'

type EditorFacts = Pick<ProcessFacts, 'env' | 'onInterrupt' | 'leaveInterrupts' | 'leaveToCaller' | 'cwd' | 'stderr'>

export interface EditRequest {
  /** Initial text. */
  readonly draft: string
  /** Creates the folder for drafts. @throws {StorageError} when it is not writable */
  readonly chooseFolder: () => Promise<string>
  /** Receives the path of a draft that may be needed again. */
  readonly keep: (path: string) => void
}

/** @returns undefined when the text is empty */
export async function editText(
  facts: EditorFacts,
  interactive: boolean,
  { draft, chooseFolder, keep }: EditRequest,
): Promise<string | undefined> {
  if (!interactive) {
    throw new InvalidArgsError(
      'cannot open an editor without a terminal; pass the text with an option or on standard input',
    )
  }
  facts.leaveToCaller?.()
  const editor = chooseEditor(facts.env)
  const path = await makeDraft(await chooseFolder(), draft)
  const forget = facts.onInterrupt(async () => {
    if (await isWritten(path, draft)) await facts.stderr.write(`Your text was saved to ${path}\n`)
    else await removeDraft(path)
  })
  // Ctrl-C belongs to the editor while it runs.
  const takeBack = facts.leaveInterrupts()
  try {
    await runEditor(editor, path, facts)
    const text = await readEdited(path, editor)
    return text.trim() === '' ? undefined : text
  } finally {
    takeBack()
    forget()
    if (await isWritten(path, draft)) keep(path)
    else await removeDraft(path)
  }
}

/** @throws {InvalidArgsError} when the file is gone, or is not UTF-8: what cannot be decoded would be stored changed */
async function readEdited(path: string, editor: string): Promise<string> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw new InvalidArgsError(`the editor '${editor}' removed the file with the text; nothing was changed`)
  })
  if (!isUtf8(bytes)) throw new InvalidArgsError('the text is not UTF-8; nothing was changed')
  return bytes.toString('utf8')
}

/** Whether the user has written anything into a draft. */
async function isWritten(path: string, before: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.trim() !== '' && text !== before
}

/** Deletes the drafts of a successful command. */
export async function removeDrafts(paths: readonly string[]): Promise<void> {
  for (const path of paths) await removeDraft(path)
}

/** Removes a draft, including backups of the editor. */
async function removeDraft(path: string): Promise<void> {
  await rm(dirname(path), { recursive: true, force: true }).catch(() => {})
}

/** Writes a draft into a separate folder, where editors may put backups beside it. */
async function makeDraft(folder: string, text: string): Promise<string> {
  const path = join(await mkdtemp(join(folder, 'draft-')), 'GRITE_EDITMSG.md')
  await writeFile(path, text, { mode: 0o600, flag: 'wx' })
  return path
}

/** Chooses the editor like git, without running git: GIT_EDITOR, VISUAL unless the terminal is dumb, EDITOR, vi. */
function chooseEditor(env: Readonly<Record<string, string | undefined>>): string {
  const visual = env.TERM === 'dumb' ? undefined : env.VISUAL
  return env.GIT_EDITOR || visual || env.EDITOR || 'vi'
}

/**
 * Runs the editor through the shell, like git, since these variables hold command lines; the path is an argument. Plain
 * words, such as `code --wait`, need no shell, and a shell would die of a Ctrl-C that the editor handles itself.
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
      reject(new InvalidArgsError(`cannot run the editor '${editor}': ${cause.message}`, { cause }))
    })
    child.on('close', (status, signal) => {
      if (status === 0) resolve()
      else {
        const how = signal === null ? `status ${status}` : `signal ${signal}`
        reject(new InvalidArgsError(`the editor '${editor}' exited with ${how}; nothing was changed`))
      }
    })
  })
}
