/** Makes one file operation of a process fail, using shim.c. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const errnos = { EIO: 5, EACCES: 13, ENOSPC: 28 } as const

/** Operations counted by shim.c. */
// biome-ignore format: laid out as in shim.c
export const faultCalls = ['openr', 'openw', 'read', 'map', 'write', 'truncate', 'fsync', 'rename', 'link', 'unlink', 'mkdir'] as const
export type FaultCall = (typeof faultCalls)[number]

/** `git` includes its helper programs. */
export const faultPrograms = ['node', 'git'] as const
export type FaultProgram = (typeof faultPrograms)[number]

/** `kill`: the process is killed just before the operation. */
export type FaultKind = keyof typeof errnos | 'kill'

/** One operation of a command, and how it fails. */
export interface FaultPoint {
  readonly program: FaultProgram
  readonly call: FaultCall
  /** Number of the failing operation, counted from 1. */
  readonly nth: number
  readonly how: FaultKind
}

/** Number of times each operation runs. */
export type FaultCounts = Readonly<Record<FaultProgram, Readonly<Record<FaultCall, number>>>>

const source = fileURLToPath(new URL('shim.c', import.meta.url))
const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/grite-fault-shim/', import.meta.url))

/** The reason why faults cannot be made on this machine; false when they can. */
export const whyNoFaults: string | false = explain()

function explain(): string | false {
  if (process.platform !== 'linux') return 'LD_PRELOAD is tried on Linux only'
  return spawnSync('cc', ['--version']).status === 0 ? false : 'there is no C compiler (cc)'
}

let compiled: string | undefined

/** Compiles the shim unless a library of this source exists. Returns its path. */
export function faultShim(): string {
  if (compiled !== undefined) return compiled
  const name = `${createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16)}-${process.arch}.so`
  const path = join(cacheFolder, name)
  if (!existsSync(path)) {
    mkdirSync(cacheFolder, { recursive: true })
    const draft = `${path}.${process.pid}`
    const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', draft, source, '-ldl'], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`shim.c does not compile: ${stderr}`)
    renameSync(draft, path)
  }
  compiled = path
  return path
}

/**
 * @param point - null to count only
 * @param folders - operations below these directories count
 * @param counter - a file for the counts of this run
 */
export function faultEnvironment(
  point: FaultPoint | null,
  folders: readonly string[],
  counter: string,
): Record<string, string> {
  return {
    LD_PRELOAD: faultShim(),
    FAULT_COUNTER: counter,
    FAULT_PATHS: folders.join(':'),
    // With io_uring, libuv would bypass the C library.
    UV_USE_IO_URING: '0',
    ...(point === null ? {} : settingsOf(point)),
  }
}

const settingsOf = ({ program, call, nth, how }: FaultPoint) => ({
  FAULT_PROGRAM: program,
  FAULT_CALL: call,
  FAULT_NTH: `${nth}`,
  FAULT_ERRNO: `${how === 'kill' ? 0 : errnos[how]}`,
})

export function readCounts(counter: string): FaultCounts {
  const bytes = readFileSync(counter)
  const row = (index: number) =>
    Object.fromEntries(
      faultCalls.map((call, column) => [call, Number(bytes.readBigUInt64LE(8 * (index * faultCalls.length + column)))]),
    ) as Record<FaultCall, number>
  return { node: row(0), git: row(1) }
}
