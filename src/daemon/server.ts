/**
 * The daemon of one repository: serves the requests of this user's processes on a socket (docs/ipc.md) over one shared
 * repository, and ends when it is idle, asked to, replaced, or when the repository or the socket is gone.
 *
 * Invariants
 * - A command gives the same output, exit status and log as in a process of its own (R5).
 * - A daemon that ends finishes its running requests first, and serves no new ones.
 * - It writes refs only for a request, or to seal records that it has appended.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, buildId, type Endpoint, type Frame, protocolVersion, tell } from '../ipc/index.ts'
import { StorageError } from '../model/index.ts'
import type { SharedRepository } from '../tracker/shared-repository.ts'
import { Workspace } from '../tracker/workspace.ts'
import type { RecordStreams } from '../wal/streams/index.ts'
import { Activity } from './activity.ts'
import { AnswerCache } from './answer-cache.ts'
import { Connection, type Request, type Requests } from './connection.ts'
import { JointReads } from './joint-reads.ts'
import { type DaemonLimits, usualLimits } from './limits.ts'
import type { LineEffects, RunLine } from './line.ts'
import type { DaemonLog } from './log.ts'
import {
  endpointPath,
  giveUpOwnership,
  isNamed,
  protectSocket,
  socketDirectory,
  socketPath,
  sweepSockets,
  takeOwnership,
} from './ownership.ts'
import { parseCall, serveCall } from './serve-call.ts'
import { environmentMark, parseLine, serveLine } from './serve-line.ts'
import { serveAppend, TailSessions } from './serve-streams.ts'
import { openServedWorkspace } from './served-workspace.ts'
import { Subscriptions } from './subscriptions.ts'

export interface DaemonOptions {
  readonly shared: SharedRepository
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
  /** Default: the build of this program. A test serves the clients of another. */
  readonly build?: string
  readonly log: DaemonLog
  /** 0 for never. Milliseconds. */
  readonly idleMs: number
  readonly runLine: RunLine
  readonly clock: { readonly nowUnixMs: () => number }
  readonly random: { readonly bytes: (count: number) => Uint8Array }
  /** The file of the program, to notice that it was replaced by another build. */
  readonly program?: string | undefined
  /** Called when there was nothing to do for some seconds, to give memory back. */
  readonly rest?: () => void
  /** Aborted by a signal. */
  readonly interrupted: AbortSignal
  readonly limits?: Partial<DaemonLimits>
}

export interface Daemon {
  readonly socket: string
  /** Resolves with the reason when the daemon has ended. */
  readonly ended: Promise<string>
  readonly stop: (reason: string) => void
}

/** The living daemon that was there before. */
export interface RunningDaemon {
  readonly runningPid: number
  readonly runningSocket: string
}

/** Starts the daemon, unless there is a living one. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon | RunningDaemon> {
  const place = { path: endpointPath(options.shared.paths.home), permissions: options.shared.paths.permissions }
  const socket = socketPath(socketDirectory(), randomBytes(6).toString('hex'))
  const server = createServer()
  await listen(server, socket)
  const daemon = new RepositoryDaemon(options, server, place.path, socket)
  let present: Endpoint | undefined
  try {
    protectSocket(socket)
    // Served from the first moment on: another process may connect as soon as the file names the socket.
    daemon.serve()
    present = await takeOwnership(place, socket)
  } catch (error) {
    daemon.withdraw()
    throw error
  }
  if (present === undefined) {
    daemon.watchOver()
    void sweepSockets()
    return daemon
  }
  daemon.withdraw()
  return { runningPid: present.pid, runningSocket: present.socket }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new StorageError(`cannot listen on ${path}: ${cause.message}`, { details: { path }, cause }))
    })
    server.listen(path, () => resolve())
  })
}

class RepositoryDaemon implements Daemon {
  readonly socket: string
  readonly ended: Promise<string>
  readonly #options: DaemonOptions
  readonly #server: Server
  readonly #endpoint: string
  readonly #connections = new Set<Connection>()
  readonly #answers: AnswerCache
  readonly #subscriptions: Subscriptions
  readonly #tails: TailSessions
  readonly #activity: Activity
  readonly #mark: string
  readonly #startedUnixMs: number
  readonly #requests: Requests
  readonly #limits: DaemonLimits
  readonly #build: string
  readonly #programMark: string
  #requestCount = 0
  #openedStreams: RecordStreams | undefined
  #reads = new JointReads()
  /** Whether an environment differs from that of the daemon; requests of one client share theirs. */
  readonly #aliens = new WeakMap<object, boolean>()
  #stopping: string | undefined
  #end: (reason: string) => void = () => {}
  #watch: NodeJS.Timeout | undefined

  constructor(options: DaemonOptions, server: Server, endpoint: string, socket: string) {
    this.#options = options
    this.#server = server
    this.#endpoint = endpoint
    this.socket = socket
    this.#answers = new AnswerCache(options.shared.layout)
    this.#subscriptions = new Subscriptions(() => this.#ownWorkspace())
    this.#build = options.build ?? buildId
    this.#limits = { ...usualLimits, ...options.limits }
    this.#tails = new TailSessions(this.#limits)
    this.#mark = environmentMark(options.env)
    this.#programMark = markOf(options.program)
    this.#startedUnixMs = options.clock.nowUnixMs()
    this.#activity = new Activity({
      idleMs: options.idleMs,
      onIdle: () => this.stop('idle'),
      onRest: () => void this.#rest(),
    })
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#requests = {
      beginRead: () => {
        this.#reads = new JointReads()
      },
      facts: { version: protocolVersion, build: this.#build, pid: process.pid },
      limits: this.#limits,
      begin: (request, frame) => this.#begin(request, frame),
      onClose: (connection) => void this.#connections.delete(connection),
      isStopping: () => this.#stopping !== undefined,
      replace: (by) => this.#replace(by),
      note: (facts, message) => options.log.warn(facts, message),
    }
  }

  serve(): void {
    this.#server.on('connection', (socket) => this.#connect(socket))
  }

  /** Ends a daemon that was never named. */
  withdraw(): void {
    this.#activity.stop()
    this.#server.close()
    giveUpOwnership(this.#endpoint, this.socket)
  }

  watchOver(): void {
    const { log, interrupted } = this.#options
    log.info({ socket: this.socket, pid: process.pid }, 'started')
    interrupted.addEventListener('abort', () => this.stop('signal'), { once: true })
    if (interrupted.aborted) this.stop('signal')
    this.#watch = setInterval(() => this.#look(), this.#limits.lookMs)
  }

  stop(reason: string): void {
    if (this.#stopping !== undefined) return
    this.#stopping = reason
    void this.#finish(reason)
  }

  async #finish(reason: string): Promise<void> {
    const { log, shared } = this.#options
    clearInterval(this.#watch)
    this.#activity.stop()
    // Nobody finds it from here on.
    giveUpOwnership(this.#endpoint, this.socket)
    this.#server.close()
    for (const connection of this.#connections) this.#leave(connection)
    if (!(await this.#finishRequests())) {
      for (const connection of this.#connections) connection.close()
      // What ignores its cancelling would keep a process that nobody finds.
      if (!(await this.#finishRequests())) log.warn({ requests: this.#activity.count }, 'left requests unfinished')
    }
    for (const connection of this.#connections) connection.leave()
    await shared.close().catch((error: Error) => log.warn({ reason: error.message }, 'closed with an error'))
    log.info({ reason, requests: this.#requestCount }, 'ended')
    this.#end(reason)
  }

  /** The next request that writes reads again what is freed here. */
  async #rest(): Promise<void> {
    const { shared, log, rest } = this.#options
    await shared.rest().catch((error: Error) => log.warn({ reason: error.message }, 'could not rest'))
    rest?.()
  }

  /** @returns whether they have finished in time */
  async #finishRequests(): Promise<boolean> {
    const endMs = performance.now() + this.#limits.graceMs
    while (this.#activity.count > 0 && performance.now() < endMs) await sleep(5)
    return this.#activity.count === 0
  }

  /** Feeds and subscriptions do not end by themselves. */
  #leave(connection: Connection): void {
    for (const request of connection.requests.values()) {
      if (request.isLine) connection.close()
      else if (request.isEndless) request.cancel()
    }
  }

  #look(): void {
    const { commonDir } = this.#options.shared.layout
    if (!isNamed(this.#endpoint, this.socket)) this.stop('replaced')
    else if (!existsSync(join(commonDir, 'HEAD'))) this.stop('the repository is gone')
  }

  /** Ends for a higher version; for another build only if it is the one that is installed now. */
  #replace(by: 'version' | 'build'): void {
    const { program } = this.#options
    if (by === 'version') this.stop('a client speaks a higher version')
    else if (program !== undefined && markOf(program) !== this.#programMark) this.stop('another build is installed')
  }

  #connect(socket: Socket): void {
    if (this.#connections.size >= this.#limits.connections) {
      socket.destroy()
      return
    }
    this.#connections.add(new Connection(socket, this.#requests))
  }

  #begin(request: Request, frame: Frame): void {
    this.#activity.begin()
    this.#requestCount += 1
    const streams = this.#openedStreams
    const isQuick = frame[0] === ask.append && streams !== undefined
    const serving = isQuick ? serveAppend(request, frame, streams) : this.#serve(request, frame)
    serving.then(
      () => this.#activity.end(),
      (error: Error) => {
        this.#options.log.warn({ kind: frame[0], reason: error.message }, 'request failed')
        request.fail(error.message)
        this.#activity.end()
      },
    )
  }

  async #serve(request: Request, frame: Frame): Promise<void> {
    switch (frame[0]) {
      case ask.run:
        return this.#run(request, frame)
      case ask.call:
        return this.#call(request, frame)
      case ask.subscribe:
        return this.#subscriptions.serve(request, frame)
      case ask.append:
        return serveAppend(request, frame, await this.#streams())
      case ask.tail:
        return this.#tails.serve(request, frame, await this.#streams())
      case ask.status:
        return request.finish(tell.answer, this.#status())
      case ask.stop:
        request.finish(tell.answer, true)
        return this.stop('asked')
      case ask.yield:
        return request.finish(tell.answer, await this.#yield(frame[2]))
      default:
        return request.refuse('command', `no request has the kind ${frame[0]}`)
    }
  }

  async #run(request: Request, frame: Frame): Promise<void> {
    const line = parseLine(frame)
    if (this.#isAlien(line.env)) return request.refuse('environment', 'the environment differs')
    await serveLine(request, line, this.#options.runLine, this.#effects(), this.#answers)
  }

  async #call(request: Request, frame: Frame): Promise<void> {
    const call = parseCall(frame)
    if (this.#isAlien(call.env)) return request.refuse('environment', 'the environment differs')
    await serveCall(request, call, this.#effects())
  }

  async #streams(): Promise<RecordStreams> {
    const { shared, clock, random } = this.#options
    this.#openedStreams = await shared.streams({ clock, random })
    return this.#openedStreams
  }

  #isAlien(env: Readonly<Record<string, string>>): boolean {
    const known = this.#aliens.get(env)
    if (known !== undefined) return known
    const isAlien = environmentMark(env) !== this.#mark
    this.#aliens.set(env, isAlien)
    return isAlien
  }

  #effects(): LineEffects {
    const { shared, clock, random } = this.#options
    const reads = this.#reads
    return {
      nowUnixMs: clock.nowUnixMs,
      randomBytes: random.bytes,
      openRepository: (facts, leave) => openServedWorkspace({ shared, reads, leave }, facts),
    }
  }

  /** For what the daemon reads by itself. */
  #ownWorkspace(): Workspace {
    const { shared, env, clock, random, log } = this.#options
    return new Workspace(shared, {
      ...{ cwd: shared.layout.commonDir, env, clock, random, identity: { actor: undefined, dataDir: undefined } },
      warn: ({ code, message }) => log.warn({ code }, message),
      progress: () => ({ report() {}, end() {} }),
    })
  }

  async #yield(folder: unknown): Promise<boolean> {
    return typeof folder === 'string' && (await this.#options.shared.yieldView(folder))
  }

  #status() {
    const { shared, version, idleMs, log } = this.#options
    return {
      pid: process.pid,
      version,
      protocol: protocolVersion,
      build: this.#build,
      repository: shared.layout.commonDir,
      socket: this.socket,
      started_unix_ms: this.#startedUnixMs,
      idle_timeout_s: idleMs / 1000,
      connections: this.#connections.size,
      // Not the one that asks.
      requests: this.#activity.count - 1,
      requests_total: this.#requestCount,
      log: log.path,
      rss_bytes: process.memoryUsage.rss(),
    }
  }
}

/** Changes when the file is replaced. */
function markOf(path: string | undefined): string {
  const found = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })
  return found === undefined ? '' : `${found.ino} ${found.mtimeMs} ${found.size}`
}
