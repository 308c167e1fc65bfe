/**
 * Which process is the daemon of a repository: the one that its endpoint file names.
 *
 * Invariants
 * - At most one living process is named. Who wants to be named waits for its turn on a lock file with owner fields, so that a dead
 *   owner is replaced at once, and looks again while it has the turn.
 * - The socket is in a directory of this user that nobody else can enter (0700), and is itself 0600.
 * - A daemon that the file no longer names, or whose socket is gone, ends (`isNamed`).
 */
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, unlinkSync } from 'node:fs'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'
import { currentOwner, isOwnerDead, ownerFileAt, type SharedPermissions } from '../git/index.ts'
import { type Endpoint, endpointName, formatEndpoint, parseEndpoint } from '../ipc/index.ts'
import { StorageError } from '../model/index.ts'
import { writeFileAtomically } from '../tracker/local/write-file-atomically.ts'
import { lockFileQueue } from '../wal/index.ts'

/** The longest path of a socket: sun_path less its end, on Linux and macOS. Bytes. */
const socketPathBytesMax = 103
/** Sockets looked at by one daemon. */
const sweptMax = 64
/** A younger socket may be one on which its process is just about to listen. Milliseconds. */
const sweptAgeMs = 60_000

export interface EndpointPlace {
  /** Absolute path of the endpoint file. */
  readonly path: string
  readonly permissions: SharedPermissions
}

/** @param home - `<common git dir>/grite` */
export function endpointPath(home: string): string {
  const name = endpointName()
  if (name === undefined) throw new StorageError('this system has no user ids; grite works without a daemon here')
  return join(home, name)
}

/**
 * The directory of this user's sockets: `/run/user/<uid>/grite` where the system has it, else `/tmp/grite-<uid>`. Does not depend on
 * the environment, so that no daemon can hide from `daemon status --all`.
 *
 * @param parents - other folders, for tests
 * @throws {StorageError} when it belongs to somebody else, or others can enter it
 */
export function socketDirectory(parents = { runtime: '/run/user', temporary: '/tmp' }): string {
  const uid = process.geteuid?.()
  const runtime = `${parents.runtime}/${uid}`
  const directory = isOwnDirectory(runtime) ? join(runtime, 'grite') : `${parents.temporary}/grite-${uid}`
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (isOwnDirectory(directory)) return directory
  throw new StorageError(`${directory} must be a directory of this user that only this user can enter`, {
    details: { path: directory },
    hints: ['Look at who made it, and remove it if it is not in use'],
  })
}

function isOwnDirectory(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === process.geteuid?.() && (found.mode & 0o077) === 0
}

/** A path for the socket of this process. */
export function socketPath(directory: string, token: string): string {
  const path = join(directory, `${process.pid}-${token}.sock`)
  if (Buffer.byteLength(path) <= socketPathBytesMax) return path
  throw new StorageError(`the path of a socket can have ${socketPathBytesMax} bytes: ${path}`, { details: { path } })
}

/** Makes the socket private. */
export function protectSocket(path: string): void {
  chmodSync(path, 0o600)
}

/**
 * Names this process in the endpoint file.
 * @returns the endpoint of the living daemon that is already there; undefined when this process is named now
 */
export async function takeOwnership(place: EndpointPlace, socket: string): Promise<Endpoint | undefined> {
  const leave = await lockFileQueue(place.path, place.permissions).enter()
  try {
    const present = await findLivingDaemon(place.path)
    if (present !== undefined) return present
    const { bootId, pidNamespace, pid, startTime } = currentOwner()
    const line = formatEndpoint({ bootId, pidNamespace, pid, startTime, socket })
    await writeFileAtomically(place.path, line, { mode: 0o600 })
    // The note of the command that started this process.
    removeIfThere(`${place.path}.start`)
    return undefined
  } finally {
    await leave()
  }
}

/** The endpoint in the file, if its owner lives; its files are removed if it is dead. */
async function findLivingDaemon(path: string): Promise<Endpoint | undefined> {
  const text = readIfThere(path)
  if (text === undefined) return undefined
  const endpoint = parseEndpoint(text)
  // Of another version: it lives as long as its socket answers.
  if (endpoint === undefined) return undefined
  if (!isOwnerDead(endpoint, ownerFileAt(path)) && (await answers(endpoint.socket))) return endpoint
  // A restarted machine or container may have given the number of the dead owner to somebody else: its socket tells.
  removeSocket(endpoint.socket)
  return undefined
}

/** Removes a socket of ours. The path may come from a file of a foreign repository: nothing else is removed. */
function removeSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isSocket() === true && socketFolders().includes(dirname(path))) removeIfThere(path)
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket)
    connection.once('connect', () => {
      connection.destroy()
      resolve(true)
    })
    // A suspended one whose queue is full refuses in another way.
    connection.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
  })
}

/** Removes sockets on which nobody listens any more: daemons that were killed cannot. Never throws. */
export async function sweepSockets(): Promise<void> {
  for (const socket of listSockets().filter(isOld).slice(0, sweptMax))
    if (!(await answers(socket))) removeSocket(socket)
}

function isOld(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found !== undefined && Date.now() - found.mtimeMs > sweptAgeMs
}

/** Whether the endpoint file still names this socket, and the socket is there. */
export function isNamed(path: string, socket: string): boolean {
  const endpoint = parseEndpoint(readIfThere(path) ?? '')
  return endpoint?.socket === socket && lstatSync(socket, { throwIfNoEntry: false })?.isSocket() === true
}

/** Removes what names this process, unless it already names another one. */
export function giveUpOwnership(path: string, socket: string): void {
  if (parseEndpoint(readIfThere(path) ?? '')?.socket === socket) removeIfThere(path)
  removeIfThere(socket)
}

/** The sockets of this user's daemons, in all directories where they can be. */
export function listSockets(): string[] {
  return socketFolders().flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.endsWith('.sock'))
      .sort()
      .map((name) => join(directory, name)),
  )
}

function socketFolders(): string[] {
  const uid = process.geteuid?.()
  return [`/run/user/${uid}/grite`, `/tmp/grite-${uid}`].filter(isOwnDirectory)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Gone, or the next owner replaces it.
  }
}
