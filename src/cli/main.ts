/**
 * The command line: parse, run, print, exit status. Knows no rule of the product. What a command does not need is
 * loaded only when it is needed; a start costs little more than Node itself.
 */
import { setFlagsFromString } from 'node:v8'
import type { AnyCommand, CommandResult, HeapGrowth } from '../commands/define-command.ts'
import { InvalidArgsError, shellCommand } from '../model/errors/index.ts'
import type { Warning } from '../tracker/effects.ts'
import type { WrittenEvents } from '../tracker/written-events.ts'
import { boundWarning } from './bound-message.ts'
import { buildCommandTable, type CommandTable } from './command-table.ts'
import type { CompleteValue } from './complete.ts'
import { describeThrown } from './failure.ts'
import { type GlobalValues, parseArgv } from './parse-argv.ts'
import type { OpenRepository } from './process-context.ts'
import { ClosedPipeError, type ProcessFacts, type TextSink } from './process-facts.ts'
import type { RendererTable } from './render/index.ts'
import { formatFailure, formatItem, formatWarning, successPieces } from './render/json-output.ts'
import type { Rendered, RenderView } from './render/renderer.ts'
import { refuseUndecodedText } from './undecoded-text.ts'
import { writeJson, writePieces } from './write-pieces.ts'

/** Everything behind the command line that a test replaces. */
export interface MainParts {
  readonly commands: readonly AnyCommand[]
  readonly renderers: RendererTable
  /** For the pieces of feeds. */
  readonly itemRenderers: RendererTable
  readonly openRepository: OpenRepository
  readonly completeValue: CompleteValue
}

/**
 * Runs one command line.
 *
 * @param argv - the words after the program's name
 * @returns the exit status; everything has been written by then
 */
export async function main(argv: readonly string[], facts: ProcessFacts, parts?: Partial<MainParts>): Promise<number> {
  try {
    refuseUndecodedText(argv, facts)
    if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) return await printVersion(facts)
    const table = buildCommandTable(parts?.commands ?? (await import('./all-commands.ts')).commandLineCommands)
    if (argv[0] === completionEntry) return await printCompletions(argv.slice(1), table, facts, parts)
    return await runLine(argv, table, facts, parts)
  } catch (error) {
    if (error instanceof ClosedPipeError) return 0
    // Nothing is parsed yet.
    return reportFailure(error, facts, argv.includes('--json'))
  }
}

/** The hidden first word with which completion scripts ask for candidates. */
const completionEntry = '__complete'

async function runLine(
  argv: readonly string[],
  table: CommandTable,
  facts: ProcessFacts,
  parts: Partial<MainParts> | undefined,
): Promise<number> {
  const { globals, request } = await parseArgv(argv, table)
  switch (request.kind) {
    case 'version':
      return printVersion(facts, globals.json)
    case 'fault':
      return reportFailure(request.error, facts, globals.json)
    case 'help': {
      if (!request.asked && globals.json) return reportFailure(missingCommand(table, request.words), facts, true)
      const { renderHelp } = await import('./help.ts')
      const sink = request.asked ? facts.stdout : facts.stderr
      await writeUnlessClosed(sink, await renderHelp(table, request.words, sink.columns() ?? 80))
      return request.asked ? 0 : 2
    }
    case 'run':
      return runCommand(request.command, request.input, globals, facts, parts)
  }
}

function missingCommand(table: CommandTable, words: readonly string[]): InvalidArgsError {
  const next = new Set(table.below(words).map(({ name }) => name.split(' ')[words.length] ?? ''))
  const message = `\`${['grite', ...words].join(' ')}\` needs a command: ${[...next].join(', ')}`
  return new InvalidArgsError(message, { hints: [`Run \`${shellCommand('grite', 'help', ...words)}\``] })
}

async function runCommand(
  command: AnyCommand,
  input: Readonly<Record<string, unknown>>,
  globals: GlobalValues,
  facts: ProcessFacts,
  parts: Partial<MainParts> | undefined,
): Promise<number> {
  const warnings = openWarnings(command, facts, globals)
  const written: WrittenEvents = { eventCount: 0, eventIds: [], issueIds: [] }
  const drafts: string[] = []
  try {
    if (command.heapGrowth) limitHeapGrowth(command.heapGrowth, input)
    const logged = isLogging(facts) ? (await import('./logger.ts')).logCommand(facts, command.name, input) : undefined
    const print = async ({ data }: CommandResult<unknown>): Promise<void> => {
      await warnings.flushed()
      const output = globals.json
        ? formatOutcome(command, data, warnings.collected)
        : await renderForPeople(command, data, globals, facts, parts?.renderers)
      const paged = facts.stdout.isTerminal && !globals.json && !globals.noPager && pagedCommands.has(command.name)
      await unlessClosed(async () => {
        if (paged) await (await import('./pager.ts')).writePaged(facts, output)
        else if (globals.json) await writeJson(facts.stdout, output)
        else await writePieces(facts.stdout, output)
      })
    }
    const told = { warn: warnings.warn, written, drafts }
    const { exitStatus = 0 } = await runInContext(command, input, globals, facts, told, print, parts)
    logged?.(exitStatus)
    return exitStatus
  } catch (error) {
    await warnings.flushed()
    // The reader of a feed went away.
    if (error instanceof ClosedPipeError) return 0
    // Errors during shutdown are expected: the repository is closed below a command that still runs.
    if (facts.isInterrupted()) {
      for (const path of drafts) await writeUnlessClosed(facts.stderr, `Your text is kept in ${path}\n`)
      return 1
    }
    const json = globals.json || (globals.jsonIfWrong && error instanceof InvalidArgsError)
    return reportFailure(error, facts, json, { warnings: warnings.collected, written, drafts })
  }
}

/** Feeds have already written their output. */
function formatOutcome(command: AnyCommand, data: unknown, warnings: readonly Warning[]): Rendered {
  return command.isFeed === true ? '' : successPieces(data, warnings)
}

/** Those that people read and whose output may be long. */
const pagedCommands: ReadonlySet<string> = new Set([
  'issue list',
  'issue show',
  'issue history',
  'issue dep topo',
  'issue dep graph',
  'ready',
  'blocked',
  'search',
  'query run',
])

function limitHeapGrowth({ percent, given }: HeapGrowth, input: Readonly<Record<string, unknown>>): void {
  const isGiven = given !== undefined && input[given.input] === true
  setFlagsFromString(`--heap-growing-percent=${isGiven ? given.percent : percent}`)
}

const isLogging = ({ env }: Pick<ProcessFacts, 'env'>): boolean => (env.GRITE_LOG ?? '') !== ''

/** `grite … | head` is no failure: what the reader wanted has arrived. */
async function unlessClosed(write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (!(error instanceof ClosedPipeError)) throw error
  }
}

const writeUnlessClosed = (sink: TextSink, text: string): Promise<void> => unlessClosed(() => sink.write(text))

/** What a command tells beside its answer. */
interface Told {
  readonly warn: (warning: Warning) => void
  readonly written: WrittenEvents
  /** Gets the paths of texts that are written in an editor. */
  readonly drafts: string[]
}

/** Runs a command and prints its answer: deferred parts are read from the open repository, other answers wait for no reader. */
async function runInContext(
  command: AnyCommand,
  input: Readonly<Record<string, unknown>>,
  globals: GlobalValues,
  facts: ProcessFacts,
  { warn, written, drafts }: Told,
  print: (result: CommandResult<unknown>) => Promise<void>,
  parts: Partial<MainParts> | undefined,
): Promise<CommandResult<unknown>> {
  const { createProcessContext } = await import('./process-context.ts')
  const openRepository = parts?.openRepository ?? openRepositoryWhenNeeded
  const emit = async (item: unknown): Promise<void> => {
    if (command.isFeed !== true) throw new TypeError(`${command.name} is no feed`)
    if (globals.json) await writeJson(facts.stdout, formatItem(item))
    else await writePieces(facts.stdout, await renderItem(command, item, globals, facts, parts?.itemRenderers))
  }
  const { context, close, hasReadInput } = createProcessContext(facts, globals, {
    openRepository,
    warn,
    written,
    emit,
    isFeed: command.isFeed === true,
    keepDraft: (path) => void drafts.push(path),
  })
  // The parser has built the input from the same definition.
  const run = () => command.run(context, input as never)
  const replaceView = async (failure: unknown): Promise<void> => {
    const { code } = failure as { code?: unknown }
    if (typeof code !== 'string' || !code.startsWith('LEVEL_')) throw failure
    await (await context.repository()).replaceUnreadableView(failure)
  }
  let result: CommandResult<unknown>
  try {
    result = await run().catch(async (error: unknown) => {
      await replaceView(error)
      // Once more, unless something was printed, written or read that cannot be taken back.
      if (command.isFeed === true || written.eventCount > 0 || drafts.length > 0 || hasReadInput()) throw error
      return run()
    })
    if (drafts.length > 0) await (await import('./edit-text.ts')).removeDrafts(drafts)
    if (command.isDeferred === true) {
      await print(result).catch(async (error: unknown) => {
        await replaceView(error)
        throw error
      })
    }
  } finally {
    await close().catch((error: unknown) => {
      // What the command did is in the log already; a cache that does not close cleanly must not hide that.
      warn({ code: 'close-failed', message: `the view did not close cleanly: ${describeThrown(error)}` })
    })
  }
  if (command.isDeferred !== true) await print(result)
  return result
}

const openRepositoryWhenNeeded: OpenRepository = async (request) => {
  const { openWorkspace } = await import('../tracker/workspace.ts')
  return openWorkspace(request)
}

async function renderForPeople(
  command: AnyCommand,
  data: unknown,
  globals: GlobalValues,
  facts: ProcessFacts,
  table: RendererTable | undefined,
): Promise<Rendered> {
  const { renderers, renderAsJson } = await import('./render/index.ts')
  const renderer = (await (table ?? renderers)[command.name]?.()) ?? renderAsJson
  return renderer(data as never, await openRenderView(globals, facts))
}

/** One piece of a feed, for people. */
async function renderItem(
  command: AnyCommand,
  item: unknown,
  globals: GlobalValues,
  facts: ProcessFacts,
  table: RendererTable | undefined,
): Promise<Rendered> {
  const { itemRenderers, renderAsJson } = await import('./render/index.ts')
  const renderer = (await (table ?? itemRenderers)[command.name]?.()) ?? renderAsJson
  return renderer(item as never, await openRenderView(globals, facts))
}

async function openRenderView(globals: GlobalValues, facts: ProcessFacts): Promise<RenderView> {
  const { openStyle } = await import('./render/style.ts')
  return {
    width: facts.stdout.isTerminal ? (facts.stdout.columns() ?? 80) : null,
    style: await openStyle(facts.env, facts.stdout.isTerminal),
    nowUnixMs: facts.nowUnixMs(),
    quiet: globals.quiet,
  }
}

/**
 * Where warnings go: for people at once and in order, before whatever the command prints in the end; for scripts into
 * the document, or where that is a feed, at once, as lines of JSON on standard error.
 */
function openWarnings(command: AnyCommand, facts: ProcessFacts, { quiet, json }: GlobalValues) {
  let printed = Promise.resolve()
  const collected: Warning[] = []
  return {
    collected,
    warn(given: Warning): void {
      const warning = boundWarning(given)
      if (json && command.isFeed !== true) {
        collected.push(warning)
        return
      }
      if (quiet && !json && warning.isEssential !== true) return
      printed = printed.then(async () => {
        if (json) await writeJson(facts.stderr, formatWarning(warning))
        else await facts.stderr.write(await formatWarningForPeople(warning))
      })
      // Whether it failed is asked for in `flushed`.
      printed.catch(() => undefined)
    },
    flushed: (): Promise<void> => printed.catch(() => undefined),
  }
}

async function formatWarningForPeople({ message }: Warning): Promise<string> {
  const { escapeLine } = await import('./render/escape-for-terminal.ts')
  return `warning: ${escapeLine(message)}\n`
}

/** What is told with a failure. */
interface FailureFacts {
  readonly warnings?: readonly Warning[]
  readonly written?: WrittenEvents
  /** Texts that were written in an editor. */
  readonly drafts?: readonly string[]
}

async function reportFailure(
  thrown: unknown,
  facts: ProcessFacts,
  json: boolean,
  { warnings = [], written, drafts = [] }: FailureFacts = {},
): Promise<number> {
  const { describeFailure, formatFailureForPeople, formatStack, tellWritten, withDrafts } = await import('./failure.ts')
  const failure = withDrafts(tellWritten(describeFailure(thrown), written), drafts)
  if (facts.env.GRITE_DEBUG === '1' || isLogging(facts)) {
    await writeUnlessClosed(facts.stderr, formatStack(failure))
  }
  if (json) {
    await unlessClosed(() => writeJson(facts.stderr, formatFailure(failure, warnings)))
  } else {
    await writeUnlessClosed(facts.stderr, formatFailureForPeople(failure))
  }
  return failure.exitStatus
}

async function printVersion(facts: ProcessFacts, json = false): Promise<number> {
  const { version } = await import('./version.ts')
  await writePieces(facts.stdout, json ? successPieces({ name: 'grite', version }, []) : `grite ${version}\n`)
  return 0
}

async function printCompletions(
  words: readonly string[],
  table: CommandTable,
  facts: ProcessFacts,
  parts: Partial<MainParts> | undefined,
): Promise<number> {
  const { completeLine } = await import('./complete.ts')
  const completeValue = parts?.completeValue ?? completeFromRepository(facts, parts?.openRepository)
  const candidates = await completeLine(words, table, completeValue)
  if (candidates.length > 0) await facts.stdout.write(`${candidates.join('\n')}\n`)
  return 0
}

/** Opens the repository only when a value of it is asked for. */
function completeFromRepository(
  facts: ProcessFacts,
  openRepository: OpenRepository = openRepositoryWhenNeeded,
): CompleteValue {
  return async (kind, prefix) => {
    const { repositoryValues } = await import('./repository-values.ts')
    return repositoryValues(facts, openRepository, kind, prefix)
  }
}
