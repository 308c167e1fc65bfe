import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Ends the daemons of all repositories below a folder, also those that are about to start. Linux only. */
export async function endDaemons(folder: string): Promise<void> {
  for (let round = 0; ; round++) {
    const left = daemonsBelow(folder)
    if (left.length === 0) return
    for (const pid of left) signal(pid, round < 100 ? 'SIGTERM' : 'SIGKILL')
    await sleep(20)
  }
}

/** Pids of the daemons of all repositories below a folder. */
export function daemonsBelow(folder: string): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const words = commandLine(pid)
      return words.includes(folder) && /^grite daemon |\0daemon\0start\0--foreground\0/.test(words)
    })
    .map(Number)
}

export function commandLine(pid: number | string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended.
  }
}
