/** Finds the descendants of a child process, so that they end with it. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

export interface TreeProcess {
  readonly pid: number
  /** Program name. Linux truncates it to 15 characters. */
  readonly name: string
  /** Start time, which distinguishes it from a later process with the same id. Empty where unknown. */
  readonly startTime: string
  /** Processor time so far, in ticks of 10 ms. 0 where unknown. */
  readonly ticks: number
}

/** Far more processes than a git that talks to a remote starts. */
const processesMax = 1000

/** Lists a process and all processes below it, parents first. The list is empty when the process is gone. */
export function listProcessTree(root: number): readonly TreeProcess[] {
  return process.platform === 'linux' ? listByProc(root) : listByPs(root)
}

/** Whether a process still runs. A zombie does not. */
export function isRunning({ pid, startTime }: TreeProcess): boolean {
  if (startTime !== '') return readProcess(pid)?.startTime === startTime
  return signalProcess(pid, 0)
}

/** Sends a signal to the processes that still run. */
export function signalProcesses(processes: readonly TreeProcess[], signal: NodeJS.Signals): void {
  for (const each of processes) if (isRunning(each)) signalProcess(each.pid, signal)
}

function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    // It has ended, or its id now belongs to another user's process.
    return false
  }
}

function listByProc(root: number): TreeProcess[] {
  const tree: TreeProcess[] = []
  const waiting = [root]
  for (let pid = waiting.shift(); pid !== undefined && tree.length < processesMax; pid = waiting.shift()) {
    const found = readProcess(pid)
    if (found === null) continue
    tree.push(found)
    waiting.push(...childrenOf(pid))
  }
  return tree
}

// proc(5): pid (comm) state ppid …, utime and stime as fields 14 and 15, starttime as 22; comm may contain spaces and
// brackets.
function readProcess(pid: number): TreeProcess | null {
  const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(readText(`/proc/${pid}/stat`) ?? '') ?? []
  const fields = rest?.split(' ')
  const [state, startTime] = [fields?.[0], fields?.[19]]
  if (name === undefined || startTime === undefined || state === 'Z' || state === 'X') return null
  return { pid, name, startTime, ticks: Number(fields?.[11]) + Number(fields?.[12]) }
}

/** Children are listed by the thread that started them. */
function childrenOf(pid: number): number[] {
  const threads = readNames(`/proc/${pid}/task`)
  return threads.flatMap((thread) => {
    const text = readText(`/proc/${pid}/task/${thread}/children`) ?? ''
    return text.split(' ').filter(Boolean).map(Number)
  })
}

function listByPs(root: number): TreeProcess[] {
  let rows: string
  try {
    rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return [{ pid: root, name: '', startTime: '', ticks: 0 }]
  }
  const children = new Map<number, TreeProcess[]>()
  let first: TreeProcess | undefined
  for (const row of rows.split('\n')) {
    const [, pid, parent, name = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? []
    if (pid === undefined || parent === undefined) continue
    const found = { pid: Number(pid), name: name.slice(name.lastIndexOf('/') + 1), startTime: '', ticks: 0 }
    if (found.pid === root) first = found
    children.set(Number(parent), [...(children.get(Number(parent)) ?? []), found])
  }
  const tree = first === undefined ? [] : [first]
  for (let index = 0; index < tree.length && tree.length < processesMax; index++) {
    tree.push(...(children.get((tree[index] as TreeProcess).pid) ?? []))
  }
  return tree
}

export function readNames(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
