/**
 * The command line: parse, run, print, exit status. Contains no product rules. Loads modules on demand, so that startup
 * takes little longer than Node itself.
 */
import { boundWarning } from '../commands/bound-message.ts'
import type { AnyCommand, CommandResult } from '../commands/define-command.ts'
import { describeThrown } from '../commands/describe-failure.ts'
import { buildId } from '../ipc/build-id.ts'
import { InvalidArgsError, shellCommand } from '../model/errors/index.ts'
import type { CommandContext, Served, ServeRequest, Warning } from '../tracker/effects.ts'
import type { JsonLayout } from '../tracker/export/json-pieces.ts'
import type { WrittenEvents } from '../tracker/written-events.ts'
import { buildCommandTable, type CommandTable } from './command-table.ts'
import type { CompleteValue } from './complete.ts'
import { prepareForBulk } from './engine-settings.ts'
import { type GlobalValues, type ParsedRun, parseArgv, parseRun } from './parse-argv.ts'
import type { OpenRepository } from './process-context.ts'
import { ClosedPipeError, type ProcessFacts, type TextSink } from './process-facts.ts'
import type { RendererTable } from './render/index.ts'
import { formatFailure, formatItem, formatWarning, successPieces } from './render/json-output.ts'
import type { Rendered, RenderView } from './render/renderer.ts'
import { refuseUndecodedText } from './undecoded-text.ts'
import { writeJson, writePieces } from './write-pieces.ts'

/** The parts that a test replaces. */
export interface MainParts {
  readonly commands: readonly AnyCommand[]
  readonly renderers: RendererTable
  /** Renderers for the items of feeds. */
  readonly itemRenderers: RendererTable
  readonly openRepository: OpenRepository
  readonly completeValue: CompleteValue
  readonly serve: (context: CommandContext, request: ServeRequest) => Promise<Served>
}

/**
 * Runs one command line.
 *
 * @param argv - the words after the program name
 * @returns the exit status, after all output was written
 */
export async function main(argv: readonly string[], facts: ProcessFacts, parts?: Partial<MainParts>): Promise<number> {
  try {
    refuseUndecodedText(argv, facts)
    if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) return await printVersion(facts)
    const everyday = parts?.commands === undefined ? await parseEveryday(argv) : undefined
    if (everyday !== undefined) return await runParsed(everyday, facts, parts)
    const table = buildCommandTable(parts?.commands ?? (await import('./all-commands.ts')).commandLineCommands)
    if (argv[0] === completionEntry) return await printCompletions(argv.slice(1), table, facts, parts)
    return await runLine(argv, table, facts, parts)
  } catch (error) {
    if (error instanceof ClosedPipeError) return 0
    // Before parsing.
    const globals = { json: argv.includes('--json'), pretty: argv.includes('--pretty') || undefined }
    return reportFailure(error, facts, globals)
  }
}

/** The hidden first word with which completion scripts request candidates. */
const completionEntry = '__complete'

/** Parses an everyday line without the definitions of all commands; undefined for any other line. */
async function parseEveryday(argv: readonly string[]): Promise<ParsedRun | undefined> {
  const { commandRows } = await import('./command-rows.ts')
  return parseRun(argv, buildCommandTable(commandRows))
}

async function runLine(
  argv: readonly string[],
  table: CommandTable,
  facts: ProcessFacts,
  parts: Partial<MainParts> | undefined,
): Promise<number> {
  const { globals, request } = await parseArgv(argv, table)
  switch (request.kind) {
    case 'version':
      return printVersion(facts, globals)
    case 'fault':
      return reportFailure(request.error, facts, globals)
    case 'help': {
      if (!request.asked && globals.json) return reportFailure(missingCommand(table, request.words), facts, globals)
      const { renderHelp } = await import('./help.ts')
      const sink = request.asked ? facts.stdout : facts.stderr
      const help = await renderHelp(table, request, sink.columns() ?? 80)
      if (!request.asked) {
        await writeUnlessClosed(sink, help)
        return 2
      }
      await unlessClosed(async () => {
        if (facts.stdout.isTerminal && !globals.noPager) await (await import('./pager.ts')).writePaged(facts, help)
        else await writePieces(facts.stdout, [help])
      })
      return 0
    }
    case 'run':
      return runParsed({ globals, request }, facts, parts)
  }
}

function runParsed(
  { globals, request }: ParsedRun,
  facts: ProcessFacts,
  parts: Partial<MainParts> | undefined,
): Promise<number> {
  return runCommand(request.command, request.input, globals, facts, parts)
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
  let restoreEngine: (() => void) | undefined
  try {
    restoreEngine = prepareEngine(command)
    const logged = isLogging(facts) ? (await import('./logger.ts')).logCommand(facts, command.name, input) : undefined
    const print = async ({ data }: CommandResult<unknown>): Promise<void> => {
      await warnings.flushed()
      const output = globals.json
        ? formatOutcome(command, data, warnings.collected, layoutOf(globals, facts))
        : await renderForPeople(command, data, await openRenderView(globals, facts, input), parts?.renderers)
      const paged = facts.stdout.isTerminal && !globals.json && !globals.noPager && pagedCommands.has(command.name)
      await unlessClosed(async () => {
        if (paged) await (await import('./pager.ts')).writePaged(facts, output)
        else if (globals.json) await writeJson(facts.stdout, output)
        else await writePieces(facts.stdout, output)
      })
    }
    const told = { warn: warnings.warn, written, drafts }
    const running = runInContext(command, input, globals, facts, told, print, parts)
    if (command.endsWhenInterrupted) facts.onInterrupt(async () => void (await running.catch(() => undefined)))
    const { exitStatus = 0 } = await running
    logged?.(exitStatus)
    return exitStatus
  } catch (error) {
    await warnings.flushed()
    // The reader of a feed closed the pipe.
    if (error instanceof ClosedPipeError) return 0
    // Errors during shutdown are expected: the repository is closed below a command that still runs.
    if (facts.isInterrupted()) {
      for (const path of drafts) await writeUnlessClosed(facts.stderr, `Your text was saved to ${path}\n`)
      return 1
    }
    const json = globals.json || (globals.jsonIfWrong && error instanceof InvalidArgsError)
    return reportFailure(error, facts, { ...globals, json }, { warnings: warnings.collected, written, drafts })
  } finally {
    restoreEngine?.()
  }
}

/**
 * Prepares V8 for a command that processes much data: when it first waits, as for the git that it has started, because this takes
 * milliseconds.
 *
 * @returns ends it
 */
function prepareEngine({ heapGrowthPercent, firstHeapGrowthPercent }: AnyCommand): (() => void) | undefined {
  if (heapGrowthPercent === undefined) return undefined
  let restore: (() => void) | undefined
  const preparing = setImmediate(() => {
    restore = prepareForBulk(heapGrowthPercent, firstHeapGrowthPercent)
  })
  return () => {
    clearImmediate(preparing)
    restore?.()
  }
}

/** Feeds have already written their output. */
function formatOutcome(command: AnyCommand, data: unknown, warnings: readonly Warning[], layout: JsonLayout): Rendered {
  return command.isFeed === true ? '' : successPieces(data, warnings, layout)
}

/** JSON is indented for people and compact for programs, on both outputs alike. */
function layoutOf({ pretty }: Pick<GlobalValues, 'pretty'>, { stdout }: ProcessFacts): JsonLayout {
  return (pretty ?? stdout.isTerminal) ? 'indented' : 'compact'
}

/** Commands with long output for people. */
const pagedCommands: ReadonlySet<string> = new Set([
  'issue list',
  'issue show',
  'issue history',
  'issue dep topo',
  'issue dep graph',
  'board',
  'ready',
  'blocked',
  'search',
  'query run',
  'changelog',
])

const isLogging = ({ env }: Pick<ProcessFacts, 'env'>): boolean => (env.GRITE_LOG ?? '') !== ''

/** Ignores a closed pipe: in `grite … | head`, the reader has all that it wanted. */
async function unlessClosed(write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (!(error instanceof ClosedPipeError)) throw error
  }
}

const writeUnlessClosed = (sink: TextSink, text: string): Promise<void> => unlessClosed(() => sink.write(text))

/** Output of a command besides its data. */
interface Told {
  readonly warn: (warning: Warning) => void
  readonly written: WrittenEvents
  /** Receives the paths of texts written in an editor. */
  readonly drafts: string[]
}

/** Runs a command and prints its data. Deferred parts keep the repository open; otherwise it closes before a slow reader is served. */
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
    if (command.isFeed !== true) throw new TypeError(`${command.name} is not a feed`)
    if (globals.json) await writeJson(facts.stdout, formatItem(item))
    else await writePieces(facts.stdout, await renderItem(command, item, globals, facts, parts?.itemRenderers))
  }
  const { context, close, hasReadInput } = createProcessContext(facts, globals, {
    jsonLayout: globals.json ? layoutOf(globals, facts) : undefined,
    openRepository,
    warn,
    written,
    emit,
    isFeed: command.isFeed === true,
    writesBytes: command.writesBytes === true,
    readsRows: command.readsRows,
    keepDraft: (path) => void drafts.push(path),
    serve: parts?.serve,
  })
  // The parser has validated the input against the same definition.
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
      // Retry once, unless output, writes or consumed input make that impossible.
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
      // The result of the command is already in the log, so a cache that does not close cleanly is only a warning.
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
  view: RenderView,
  table: RendererTable | undefined,
): Promise<Rendered> {
  const { renderers, renderAsJson } = await import('./render/index.ts')
  const renderer = (await (table ?? renderers)[command.name]?.()) ?? renderAsJson
  return renderer(data as never, view)
}

/** One item of a feed, for people. */
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

async function openRenderView(
  globals: GlobalValues,
  facts: ProcessFacts,
  input: Readonly<Record<string, unknown>> = {},
): Promise<RenderView> {
  const { openStyle } = await import('./render/style.ts')
  return {
    width: facts.stdout.isTerminal ? (facts.stdout.columns() ?? 80) : null,
    style: await openStyle(facts.env, facts.stdout.isTerminal),
    // A renderer that does not use it gives the same text at any time.
    get nowUnixMs() {
      return facts.nowUnixMs()
    },
    quiet: globals.quiet,
    header: input.header === true && !facts.stdout.isTerminal,
  }
}

/**
 * Prints warnings: for people at once and in order, before the final output; for scripts in the JSON document, or, for a
 * feed, at once as lines of JSON on standard error.
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
      // `flushed` reports a failure.
      printed.catch(() => undefined)
    },
    flushed: (): Promise<void> => printed.catch(() => undefined),
  }
}

async function formatWarningForPeople({ message }: Warning): Promise<string> {
  const { escapeLine } = await import('./render/escape-for-terminal.ts')
  return `warning: ${escapeLine(message)}\n`
}

/** Facts reported with a failure. */
interface FailureFacts {
  readonly warnings?: readonly Warning[]
  readonly written?: WrittenEvents
  /** Paths of texts written in an editor. */
  readonly drafts?: readonly string[]
}

/** Prints a failure. @returns its exit status */
export async function reportFailure(
  thrown: unknown,
  facts: ProcessFacts,
  globals: Pick<GlobalValues, 'json' | 'pretty'>,
  { warnings = [], written, drafts = [] }: FailureFacts = {},
): Promise<number> {
  const { describeFailure, tellWritten, withDrafts } = await import('../commands/describe-failure.ts')
  const { formatFailureForPeople, formatStack } = await import('./failure.ts')
  const failure = withDrafts(tellWritten(describeFailure(thrown), written), drafts)
  if (facts.env.GRITE_DEBUG === '1' || isLogging(facts)) {
    await writeUnlessClosed(facts.stderr, formatStack(failure))
  }
  if (globals.json) {
    const document = formatFailure(failure, warnings, layoutOf(globals, facts))
    await unlessClosed(() => writeJson(facts.stderr, document))
  } else {
    await writeUnlessClosed(facts.stderr, formatFailureForPeople(failure))
  }
  return failure.exitStatus
}

async function printVersion(facts: ProcessFacts, globals?: Pick<GlobalValues, 'json' | 'pretty'>): Promise<number> {
  const { version } = await import('./version.ts')
  const isJson = globals?.json === true
  const output = isJson
    ? successPieces({ name: 'grite', version, build: buildId }, [], layoutOf(globals, facts))
    : `grite ${version}\n`
  await writePieces(facts.stdout, output)
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

/** Opens the repository only if a value from it is needed. */
function completeFromRepository(
  facts: ProcessFacts,
  openRepository: OpenRepository = openRepositoryWhenNeeded,
): CompleteValue {
  return async (kind, prefix) => {
    const { repositoryValues } = await import('./repository-values.ts')
    return repositoryValues(facts, openRepository, kind, prefix)
  }
}
