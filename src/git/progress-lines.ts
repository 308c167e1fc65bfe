import type { OnProgress } from './remote-port.ts'
import type { RunGitOptions } from './run-git.ts'

/** progress.c: `Receiving objects:  45% (9/20), 1.2 MiB | 3 MiB/s`, redrawn in one line. */
const progressLine = /([A-Z][a-z]+ [a-z]+): +\d+% \((\d+)\/(\d+)\)/g

/** Options that report the phases of git's transfer; none when nobody sees them. */
export function progressOptions(onProgress: OnProgress | undefined): RunGitOptions {
  if (onProgress === undefined) return {}
  return {
    onStderr(text) {
      const [, phase = '', done, total] = [...text.matchAll(progressLine)].at(-1) ?? []
      if (phase !== '') onProgress(phase, Number(done), Number(total))
    },
  }
}
