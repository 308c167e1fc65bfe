/** Long output on a terminal goes through the user's pager. */
import { spawn } from 'node:child_process'
import type { ProcessFacts } from './process-facts.ts'

/** Shows colours, ends at once when all fits, leaves the text on the screen. */
const pagerDefault = 'less -FRX'

/** The program and its words; undefined when the output shall be printed as it is. */
export function choosePager(env: Readonly<Record<string, string | undefined>>): readonly string[] | undefined {
  const text = env.GRITE_PAGER ?? env.GIT_PAGER ?? env.PAGER ?? pagerDefault
  const words = text.trim().split(/\s+/).filter(Boolean)
  return words.length === 0 || words[0] === 'cat' || env.TERM === 'dumb' ? undefined : words
}

/** Writes a text to standard output, through the pager when it is longer than the terminal. Leaving it early is fine. */
export async function writePaged(facts: ProcessFacts, text: string): Promise<void> {
  const rows = facts.stdout.rows() ?? Number.POSITIVE_INFINITY
  const pager = facts.stdout.isTerminal && countLines(text) >= rows ? choosePager(facts.env) : undefined
  if (pager !== undefined && (await page(facts, pager, text))) return
  await facts.stdout.write(text)
}

function countLines(text: string): number {
  let count = 0
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) count++
  return count
}

/** False when there is no such program. No shell: the variable holds a program and its words, nothing more. */
async function page(facts: ProcessFacts, [program = '', ...words]: readonly string[], text: string): Promise<boolean> {
  const takeBack = facts.leaveInterrupts()
  try {
    return await new Promise<boolean>((resolve) => {
      const child = spawn(program, words, {
        stdio: ['pipe', 'inherit', 'inherit'],
        // The text of issues comes from others: less shall not run a program or write a file at a key.
        env: { LESS: 'FRX', LV: '-c', ...facts.env, LESSSECURE: '1' },
      })
      child.on('error', () => resolve(false))
      child.on('close', () => resolve(true))
      // Whoever quits before the end has closed the pipe; there is nothing to tell.
      child.stdin.on('error', () => undefined)
      child.stdin.end(text)
    })
  } finally {
    takeBack()
  }
}
