import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { timeProcesses } from './time-processes.ts'

export const whyNoCtags = 'universal-ctags is not installed'

export interface CtagsRun {
  readonly medianMs: number
  /** Tags that it found. */
  readonly count: number
}

/** Times universal-ctags over all files of a repository; undefined where it is not installed. */
export function timeCtags(cwd: string, runs: number): CtagsRun | undefined {
  const { stdout } = spawnSync('ctags', ['--version'], { encoding: 'utf8' })
  if (typeof stdout !== 'string' || !stdout.includes('Universal Ctags')) return undefined
  const tags = join(cwd, '.git/tags')
  const { ctags } = timeProcesses({ ctags: ['ctags', '-R', '--exclude=.git', '-f', tags, '.'] }, { runs, cwd })
  const lines = readFileSync(tags, 'utf8').split('\n')
  return { medianMs: ctags.median, count: lines.filter((line) => line !== '' && !line.startsWith('!')).length }
}
