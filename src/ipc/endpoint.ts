/**
 * Where the daemon of a repository listens: `<common git dir>/grite/endpoint.<uid>.<pid namespace>` (docs/ipc.md, Finding the
 * daemon). Loads nothing but `node:fs`, because every start of the command line looks for it.
 */
import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** First word of the file. */
const endpointVersion = '1'

export interface Endpoint {
  readonly bootId: string
  readonly pidNamespace: string
  readonly pid: number
  readonly startTime: string
  readonly socket: string
}

/** Name of the file for this user and this pid namespace; undefined on systems without user ids. */
export function endpointName(): string | undefined {
  const uid = process.geteuid?.()
  return uid === undefined ? undefined : `endpoint.${uid}.${pidNamespace()}`
}

function pidNamespace(): string {
  if (process.platform === 'linux') {
    try {
      return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')
    } catch {
      // As elsewhere.
    }
  }
  return hostname().replace(/[^A-Za-z0-9_-]/g, '_') || 'unknown'
}

export function formatEndpoint({ bootId, pidNamespace, pid, startTime, socket }: Endpoint): string {
  return `${[endpointVersion, bootId, pidNamespace, pid, startTime, socket].join(' ')}\n`
}

/** Undefined for anything but the line of this version. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const found = /^1 (\S+) (\S+) (\d{1,10}) (\d+) (\/[^\n]*)\n$/.exec(text)
  if (found === null) return undefined
  const [bootId = '', pidNamespace = '', pid = '', startTime = '', socket = ''] = found.slice(1)
  return { bootId, pidNamespace, pid: Number(pid), startTime, socket }
}

/** The endpoint in a file; undefined when there is none that this user can trust. */
export function readEndpoint(path: string): Endpoint | undefined {
  try {
    const endpoint = parseEndpoint(readFileSync(path, 'utf8'))
    return endpoint !== undefined && isOwnSocket(endpoint.socket) ? endpoint : undefined
  } catch {
    return undefined
  }
}

function isOwnSocket(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isSocket() === true && found.uid === process.geteuid?.()
}

/**
 * The common git directory that the nearest `.git` names. Only a hint: the daemon applies the rules of git. The first use of
 * `statSync` takes ten times as long as `existsSync`.
 * @param cwd - absolute
 */
export function guessCommonDir(cwd: string): string | undefined {
  for (let folder = cwd; ; ) {
    const entry = folder === '/' ? '/.git' : `${folder}/.git`
    if (existsSync(entry)) return existsSync(`${entry}/.`) ? entry : commonDirOfFile(folder, entry)
    const slash = folder.lastIndexOf('/')
    if (slash < 0 || folder === '/') return undefined
    folder = slash === 0 ? '/' : folder.slice(0, slash)
  }
}

function commonDirOfFile(folder: string, file: string): string | undefined {
  try {
    const named = /^gitdir: ([^\n]+)\n?$/.exec(readFileSync(file, 'utf8'))?.[1]
    if (named === undefined) return undefined
    const gitDir = named.startsWith('/') ? named : `${folder}/${named}`
    const common = readIfThere(`${gitDir}/commondir`)?.replace(/\n$/, '')
    if (common === undefined) return gitDir
    return common.startsWith('/') ? common : `${gitDir}/${common}`
  } catch {
    return undefined
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
