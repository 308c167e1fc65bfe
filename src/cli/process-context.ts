/** Builds the context of a command from the facts of a process. Opens nothing until the command needs it. */
import type { AnyCommand } from '../commands/define-command.ts'
import { describeForeign, InvalidArgsError, isRequestKey } from '../model/index.ts'
import type { CommandContext, Progress, Served, ServeRequest, TextInput } from '../tracker/effects.ts'
import type { RequestFacts, Workspace } from '../tracker/workspace.ts'
import type { WrittenEvents } from '../tracker/written-events.ts'
import { postponeOptimization } from './engine-settings.ts'
import type { GlobalValues } from './parse-argv.ts'
import type { ProcessFacts } from './process-facts.ts'
import { openProgress } from './progress.ts'

/** @throws {NotFoundError} when `cwd` is not in a repository */
export type OpenRepository = (facts: RequestFacts) => Promise<Workspace>

/** A context, with a function that closes everything opened through it. */
export interface ProcessContext {
  readonly context: CommandContext
  readonly close: () => Promise<void>
  /** Whether standard input was read, which cannot be repeated. */
  readonly hasReadInput: () => boolean
}

export function createProcessContext(
  facts: ProcessFacts,
  globals: GlobalValues,
  parts: Pick<CommandContext, 'warn' | 'emit' | 'jsonLayout'> & {
    readonly openRepository: OpenRepository
    readonly written?: WrittenEvents
    readonly isFeed?: boolean
    readonly writesBytes?: boolean
    readonly readsRows?: AnyCommand['readsRows'] | undefined
    /** Receives the path of a text written in an editor. */
    readonly keepDraft: (path: string) => void
    readonly serve?: ((context: CommandContext, request: ServeRequest) => Promise<Served>) | undefined
  },
): ProcessContext {
  const { env } = facts
  const cwd = facts.cwd()
  const clock = {
    nowUnixMs: facts.nowUnixMs,
    offsetMinutesAt: (unixMs: number) => -new Date(unixMs).getTimezoneOffset(),
  }
  const random = { bytes: facts.randomBytes }
  const identity = { actor: globals.actor, dataDir: globals.dataDir }
  let repository: Promise<Workspace> | undefined
  const progress = (label: string): Progress => openProgress(facts, globals.quiet, label)
  const isInteractive = facts.stdout.isTerminal && facts.stdin.isTerminal
  const { warn, written, serve, readsRows } = parts
  const noted = written === undefined ? {} : { written }
  const repeated = requestOf(facts)
  const opening = { cwd, env, clock, random, identity, progress, warn, ...noted, ...repeated, isInteractive, readsRows }
  let restoreEngine: (() => void) | undefined
  const close = async (): Promise<void> => {
    stopWatchingReader?.()
    restoreEngine?.()
    const open = await repository?.catch(() => undefined)
    repository = undefined
    await open?.close()
  }
  let hasReadInput = false
  const chunks = () => {
    hasReadInput = true
    return facts.stdin.chunks()
  }
  const text: TextInput = {
    interactive: isInteractive,
    async readStdin(bytesMax) {
      const { readAllText } = await import('./standard-input.ts')
      return readAllText(chunks(), bytesMax)
    },
    stdinChunks: chunks,
    async *readStdinLines() {
      const { readLines } = await import('./standard-input.ts')
      yield* readLines(chunks())
    },
    async editText(draft) {
      const { editText } = await import('./edit-text.ts')
      const chooseFolder = async () => {
        const open = await context.repository()
        // The user may write for a long time: close the view for other processes.
        await open.closeView()
        const { drafts, permissions } = open.paths
        const { makeFolder } = await import('../tracker/local/write-file-atomically.ts')
        await makeFolder(drafts, permissions)
        return drafts
      }
      return editText(facts, text.interactive, { draft, chooseFolder, keep: parts.keepDraft })
    },
  }
  let interrupt: AbortController | undefined
  let stopWatchingReader: (() => void) | undefined
  // A signal waits until the daemon has ended.
  const serveUntilEnd = (request: ServeRequest): Promise<Served> => {
    let served: Promise<Served> | undefined
    facts.onInterrupt(async () => void (await served))
    served = serve?.(context, request) ?? Promise.reject(new TypeError('nothing serves here'))
    return served
  }
  const onlyOnce = {
    postponeOptimization() {
      restoreEngine ??= postponeOptimization()
    },
  }
  const context: CommandContext = {
    ...opening,
    text,
    isJson: globals.json,
    noDaemon: globals.noDaemon,
    jsonLayout: parts.jsonLayout,
    emit: parts.emit,
    ...(parts.isFeed || parts.writesBytes
      ? { output: { isTerminal: facts.stdout.isTerminal, write: facts.stdout.writeBytes } }
      : onlyOnce),
    ...(serve === undefined ? {} : { serve: serveUntilEnd }),
    get interrupted() {
      if (interrupt === undefined) {
        const controller = new AbortController()
        facts.onInterrupt(() => controller.abort())
        // No reader would get the next item of the feed.
        if (parts.isFeed) stopWatchingReader = facts.stdout.onUnread(() => controller.abort())
        interrupt = controller
      }
      return interrupt.signal
    },
    repository() {
      if (repository === undefined) {
        repository = parts.openRepository(opening)
        facts.onInterrupt(async () => {
          const open = await repository?.catch(() => undefined)
          open?.stopReading()
          await close()
        })
      }
      return repository
    },
  }
  return { context, close, hasReadInput: () => hasReadInput }
}

/** The key of a request that may have been carried out before. @throws {InvalidArgsError} when it is none */
function requestOf({
  env,
  request,
}: Pick<ProcessFacts, 'env' | 'request'>): Pick<RequestFacts, 'requestKey' | 'mayBeRepeated'> {
  const key = request ?? env.GRITE_REQUEST ?? ''
  if (key === '') return {}
  if (isRequestKey(key)) return { requestKey: key, mayBeRepeated: () => true }
  const allowed = 'milliseconds since 1970, a hyphen and 32 hexadecimal digits'
  throw new InvalidArgsError(`GRITE_REQUEST must be ${allowed}, got ${describeForeign(key)}`, {
    details: { field: 'GRITE_REQUEST', allowed },
  })
}
