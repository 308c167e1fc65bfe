/** The methods of an open repository, grouped by subject. Each runs the corresponding command. */
import type { DataOf, GivenInput } from '../commands/define-command.ts'
import type { CommandName, CommandNamed } from '../commands/index.ts'
import type { WatchItem } from '../commands/watch/watch.ts'
import { InvalidArgsError } from '../model/errors/index.ts'
import { iterateFeed } from './feed.ts'
import type { CallOptions, CommandSession } from './session.ts'
import { Stream, Streams } from './streams.ts'

export type Input<Name extends CommandName> = GivenInput<CommandNamed<Name>>
export type Answer<Name extends CommandName> = DataOf<CommandNamed<Name>>

/** Remaining input of a call whose main values are parameters. */
export type Options<Name extends CommandName, Given extends string> = Omit<Input<Name>, Given>

/** The answer for one issue, of a command that accepts several. */
export type OneAnswer<Name extends CommandName> = Exclude<Answer<Name>, { readonly results: unknown }>

/** An issue with everything that belongs to it. */
export type WholeIssue = Extract<Answer<'issue show'>, { readonly events: readonly unknown[] }>

/** One issue or several: an id, a unique prefix of one, or an imported id. */
type OneOrMore = string | readonly string[]

const listOf = (issues: OneOrMore): readonly string[] => (typeof issues === 'string' ? [issues] : issues)

class Group {
  protected readonly session: CommandSession

  constructor(session: CommandSession) {
    this.session = session
  }
}

/** Edges between issues. */
export class Dependencies extends Group {
  /** Adds an edge: by default the issue depends on the target. */
  add(
    issue: string,
    target: string,
    options: Options<'issue dep add', 'issue' | 'target'> = {},
  ): Promise<Answer<'issue dep add'>> {
    return this.session.run('issue dep add', { ...options, issue, target })
  }

  /** Removes an edge. */
  remove(
    issue: string,
    target: string,
    options: Options<'issue dep remove', 'issue' | 'target'> = {},
  ): Promise<Answer<'issue dep remove'>> {
    return this.session.run('issue dep remove', { ...options, issue, target })
  }

  /** Lists the edges of an issue. */
  list(issue: string, options: Options<'issue dep list', 'issue'> = {}): Promise<Answer<'issue dep list'>> {
    return this.session.run('issue dep list', { ...options, issue })
  }

  /** Lists issues in dependency order. */
  order(options: Input<'issue dep topo'> = {}): Promise<Answer<'issue dep topo'>> {
    return this.session.run('issue dep topo', options)
  }

  /** Returns the graph of all issues, or of one. */
  graph(options: Input<'issue dep graph'> = {}): Promise<Answer<'issue dep graph'>> {
    return this.session.run('issue dep graph', options)
  }
}

/** Files of issues. */
export class Attachments extends Group {
  /** Attaches a file, or the hash of one that is stored elsewhere. */
  add(issue: string, options: Options<'issue attachment add', 'issue'>): Promise<Answer<'issue attachment add'>> {
    return this.session.run('issue attachment add', { ...options, issue })
  }

  /** Lists the attachments of an issue. */
  list(issue: string): Promise<Answer<'issue attachment list'>> {
    return this.session.run('issue attachment list', { issue })
  }

  /** Writes the content of an attachment to a file. */
  get(
    issue: string,
    attachment: string,
    options: Options<'issue attachment get', 'issue' | 'attachment'> = {},
  ): Promise<Answer<'issue attachment get'>> {
    return this.session.run('issue attachment get', { ...options, issue, attachment })
  }
}

/** Issues, their comments, labels, claims and relations. */
export class Issues extends Group {
  readonly dependencies = new Dependencies(this.session)
  readonly attachments = new Attachments(this.session)

  /** Creates an issue. */
  create(issue: Input<'issue create'> & { readonly title: string }): Promise<Answer<'issue create'>> {
    return this.session.run('issue create', issue)
  }

  /** Lists issues; all options must hold. */
  list(options: Input<'issue list'> = {}): Promise<Answer<'issue list'>> {
    return this.session.run('issue list', options)
  }

  /** Lists the issues that a query selects; see docs/queries.md. */
  search(query: string, options: Options<'search', 'query'> = {}): Promise<Answer<'search'>> {
    return this.session.run('search', { ...options, query: [query] })
  }

  /** Returns the open issues in columns by status. */
  board(options: Input<'board'> = {}): Promise<Answer<'board'>> {
    return this.session.run('board', options)
  }

  /** Lists issues that are ready to work on. */
  ready(options: Input<'ready'> = {}): Promise<Answer<'ready'>> {
    return this.session.run('ready', options)
  }

  /** Lists blocked open issues and their blockers. */
  blocked(options: Input<'blocked'> = {}): Promise<Answer<'blocked'>> {
    return this.session.run('blocked', options)
  }

  /** Returns an issue with its text, comments, relations and events; with options, a part of them. */
  show(issue: string): Promise<WholeIssue>
  show(issue: string, options: Options<'issue show', 'issue'>): Promise<Answer<'issue show'>>
  show(issue: string, options: Options<'issue show', 'issue'> = {}): Promise<Answer<'issue show'>> {
    return this.session.run('issue show', { ...options, issue })
  }

  /** Returns all changes of an issue. */
  history(issue: string, options: Options<'issue history', 'issue'> = {}): Promise<Answer<'issue history'>> {
    return this.session.run('issue history', { ...options, issue })
  }

  /** Changes title, text or fields. */
  update(issue: string, options: Options<'issue update', 'issue'>): Promise<OneAnswer<'issue update'>>
  update(issues: readonly string[], options: Options<'issue update', 'issue'>): Promise<Answer<'issue update'>>
  update(issues: OneOrMore, options: Options<'issue update', 'issue'>): Promise<Answer<'issue update'>> {
    return this.session.run('issue update', { ...options, issue: listOf(issues) })
  }

  /** Adds a comment. */
  comment(
    issue: string,
    body: string,
    options: Options<'issue comment', 'issue' | 'body'> = {},
  ): Promise<Answer<'issue comment'>> {
    return this.session.run('issue comment', { ...options, issue, body })
  }

  /** Changes the text of a comment. The first text stays in the log. */
  editComment(comment: string, body: string): Promise<Answer<'issue comment edit'>> {
    return this.session.run('issue comment edit', { comment, body })
  }

  /** Hides a comment. Its text stays in the log. */
  hideComment(comment: string): Promise<Answer<'issue comment hide'>> {
    return this.session.run('issue comment hide', { comment })
  }

  /** Shows a hidden comment again. */
  unhideComment(comment: string): Promise<Answer<'issue comment unhide'>> {
    return this.session.run('issue comment unhide', { comment })
  }

  /** Closes issues. */
  close(issue: string, options?: Options<'issue close', 'issue'>): Promise<OneAnswer<'issue close'>>
  close(issues: readonly string[], options?: Options<'issue close', 'issue'>): Promise<Answer<'issue close'>>
  close(issues: OneOrMore, options?: Options<'issue close', 'issue'>): Promise<Answer<'issue close'>> {
    return this.session.run('issue close', { ...options, issue: listOf(issues) })
  }

  /** Reopens closed issues. */
  reopen(issue: string, options?: Options<'issue reopen', 'issue'>): Promise<OneAnswer<'issue reopen'>>
  reopen(issues: readonly string[], options?: Options<'issue reopen', 'issue'>): Promise<Answer<'issue reopen'>>
  reopen(issues: OneOrMore, options?: Options<'issue reopen', 'issue'>): Promise<Answer<'issue reopen'>> {
    return this.session.run('issue reopen', { ...options, issue: listOf(issues) })
  }

  /** Claims an issue, so that nobody else works on it. */
  claim(issue: string, options: Options<'issue claim', 'issue' | 'next'> = {}): Promise<Answer<'issue claim'>> {
    return this.session.run('issue claim', { ...options, issue })
  }

  /** Claims the first issue that is ready. @throws {NotFoundError} when there is none */
  claimNext(options: Options<'issue claim', 'issue' | 'next'> = {}): Promise<Answer<'issue claim'>> {
    return this.session.run('issue claim', { ...options, next: true })
  }

  /** Releases a claimed issue. */
  unclaim(issue: string, options: Options<'issue unclaim', 'issue'> = {}): Promise<Answer<'issue unclaim'>> {
    return this.session.run('issue unclaim', { ...options, issue })
  }

  /** Adds labels. */
  addLabels(
    issue: string,
    labels: readonly string[],
    options?: Options<'issue label add', 'issue' | 'label'>,
  ): Promise<OneAnswer<'issue label add'>>
  addLabels(
    issues: readonly string[],
    labels: readonly string[],
    options?: Options<'issue label add', 'issue' | 'label'>,
  ): Promise<Answer<'issue label add'>>
  addLabels(
    issues: OneOrMore,
    labels: readonly string[],
    options?: Options<'issue label add', 'issue' | 'label'>,
  ): Promise<Answer<'issue label add'>> {
    return this.session.run('issue label add', { ...options, issue: listOf(issues), label: labels })
  }

  /** Removes labels. */
  removeLabels(
    issue: string,
    labels: readonly string[],
    options?: Options<'issue label remove', 'issue' | 'label'>,
  ): Promise<OneAnswer<'issue label remove'>>
  removeLabels(
    issues: readonly string[],
    labels: readonly string[],
    options?: Options<'issue label remove', 'issue' | 'label'>,
  ): Promise<Answer<'issue label remove'>>
  removeLabels(
    issues: OneOrMore,
    labels: readonly string[],
    options?: Options<'issue label remove', 'issue' | 'label'>,
  ): Promise<Answer<'issue label remove'>> {
    return this.session.run('issue label remove', { ...options, issue: listOf(issues), label: labels })
  }

  /** Assigns users. */
  assign(
    issue: string,
    users: readonly string[],
    options?: Options<'issue assignee add', 'issue' | 'user'>,
  ): Promise<OneAnswer<'issue assignee add'>>
  assign(
    issues: readonly string[],
    users: readonly string[],
    options?: Options<'issue assignee add', 'issue' | 'user'>,
  ): Promise<Answer<'issue assignee add'>>
  assign(
    issues: OneOrMore,
    users: readonly string[],
    options?: Options<'issue assignee add', 'issue' | 'user'>,
  ): Promise<Answer<'issue assignee add'>> {
    return this.session.run('issue assignee add', { ...options, issue: listOf(issues), user: users })
  }

  /** Removes assignees. */
  unassign(
    issue: string,
    users: readonly string[],
    options?: Options<'issue assignee remove', 'issue' | 'user'>,
  ): Promise<OneAnswer<'issue assignee remove'>>
  unassign(
    issues: readonly string[],
    users: readonly string[],
    options?: Options<'issue assignee remove', 'issue' | 'user'>,
  ): Promise<Answer<'issue assignee remove'>>
  unassign(
    issues: OneOrMore,
    users: readonly string[],
    options?: Options<'issue assignee remove', 'issue' | 'user'>,
  ): Promise<Answer<'issue assignee remove'>> {
    return this.session.run('issue assignee remove', { ...options, issue: listOf(issues), user: users })
  }

  /** Adds a link. */
  addLink(
    issue: string,
    url: string,
    options: Options<'issue link add', 'issue' | 'url'> = {},
  ): Promise<Answer<'issue link add'>> {
    return this.session.run('issue link add', { ...options, issue, url })
  }
}

/** Queries that are saved in the log. */
export class Queries extends Group {
  /** Saves a query under a name. */
  save(name: string, query: string): Promise<Answer<'query save'>> {
    return this.session.run('query save', { name, query: [query] })
  }

  /** Lists the saved queries. */
  list(): Promise<Answer<'query list'>> {
    return this.session.run('query list', {})
  }

  /** Lists the issues that a saved query selects. */
  run(name: string, options: Options<'query run', 'name'> = {}): Promise<Answer<'query run'>> {
    return this.session.run('query run', { ...options, name })
  }

  /** Removes a saved query. */
  remove(name: string): Promise<Answer<'query remove'>> {
    return this.session.run('query remove', { name })
  }
}

/** Notes for later sessions. */
export class Memories extends Group {
  /** Saves a note; the key is made from the text if none is given. */
  remember(text: string, options: Options<'remember', 'text'> = {}): Promise<Answer<'remember'>> {
    return this.session.run('remember', { ...options, text })
  }

  /** Finds notes that have all of these words; all notes without any. */
  recall(words: readonly string[] = [], options: Options<'recall', 'query'> = {}): Promise<Answer<'recall'>> {
    return this.session.run('recall', { ...options, query: words })
  }

  /** Removes a note. */
  forget(key: string): Promise<Answer<'forget'>> {
    return this.session.run('forget', { key })
  }
}

/** What is known about source files and the project. */
export class Context extends Group {
  /** Brings the facts about source files up to date. */
  index(options: Options<'context index', never> = {}): Promise<Answer<'context index'>> {
    return this.session.run('context index', options)
  }

  /** Finds functions, classes and types by name, by default those that begin with the text. */
  query(query: string, options: Options<'context query', 'query'> = {}): Promise<Answer<'context query'>> {
    return this.session.run('context query', { ...options, query })
  }

  /** What is known about a source file. @throws {NotFoundError} */
  show(path: string): Promise<Answer<'context show'>> {
    return this.session.run('context show', { path })
  }

  /** Files that changed since they were indexed. */
  stale(): Promise<Answer<'context stale'>> {
    return this.session.run('context stale', {})
  }

  /** All facts about the project, or the one of a key. @throws {NotFoundError} */
  project(key?: string): Promise<Answer<'context project'>> {
    return this.session.run('context project', key === undefined ? {} : { key })
  }

  set(key: string, value: string): Promise<Answer<'context set'>> {
    return this.session.run('context set', { key, value })
  }

  /** @throws {NotFoundError} when the key has no value */
  unset(key: string): Promise<Answer<'context unset'>> {
    return this.session.run('context unset', { key })
  }
}

/** Locks on resources: `issue:<id>`, `path:<path>`, `repo:<name>`, or any other name. */
export class Locks extends Group {
  /** Acquires a lock. @throws {ConflictError} when somebody else holds it */
  acquire(resource: string, options: Options<'lock acquire', 'resource'> = {}): Promise<Answer<'lock acquire'>> {
    return this.session.run('lock acquire', { ...options, resource })
  }

  /** Extends a lock. */
  renew(resource: string, options: Options<'lock renew', 'resource'> = {}): Promise<Answer<'lock renew'>> {
    return this.session.run('lock renew', { ...options, resource })
  }

  /** Releases a lock; releasing what nobody holds is a no-op. */
  release(resource: string, options: Options<'lock release', 'resource'> = {}): Promise<Answer<'lock release'>> {
    return this.session.run('lock release', { ...options, resource })
  }

  /** Lists locks: holder, resource, expiry. */
  status(options: Input<'lock status'> = {}): Promise<Answer<'lock status'>> {
    return this.session.run('lock status', options)
  }

  /** Deletes expired locks. */
  collect(options: Input<'lock gc'> = {}): Promise<Answer<'lock gc'>> {
    return this.session.run('lock gc', options)
  }
}

/** Actors, the identities that write. */
export class Actors extends Group {
  /** Creates another actor. */
  create(options: Input<'actor init'> = {}): Promise<Answer<'actor init'>> {
    return this.session.run('actor init', options)
  }

  /** Lists the actors of this clone. */
  list(options: Input<'actor list'> = {}): Promise<Answer<'actor list'>> {
    return this.session.run('actor list', options)
  }

  /** Returns the current actor and why it was chosen. */
  current(): Promise<Answer<'actor current'>> {
    return this.session.run('actor current', {})
  }

  /** Returns an actor; the current one without an id. */
  show(actor?: string): Promise<Answer<'actor show'>> {
    return this.session.run('actor show', { actor })
  }

  /** Makes an actor the default of this clone. */
  use(actor: string): Promise<Answer<'actor use'>> {
    return this.session.run('actor use', { actor })
  }

  /** Replaces the signing key of the current actor. */
  rotateKey(): Promise<Answer<'actor rotate-key'>> {
    return this.session.run('actor rotate-key', {})
  }
}

/** Settings of this clone, and saved queries as `query.<name>`. */
export class Settings extends Group {
  /** Lists all settings. */
  list(): Promise<Answer<'config list'>> {
    return this.session.run('config list', {})
  }

  /** Returns one setting. */
  get(key: string): Promise<Answer<'config get'>> {
    return this.session.run('config get', { key })
  }

  /** Sets a setting; the value is what the command line would take. */
  set(key: string, value: string): Promise<Answer<'config set'>> {
    return this.session.run('config set', { key, value })
  }

  /** Goes back to the default of a setting. */
  unset(key: string): Promise<Answer<'config unset'>> {
    return this.session.run('config unset', { key })
  }
}

/** Snapshots of the log. */
export class Snapshots extends Group {
  /** Creates a snapshot. */
  create(options: Input<'snapshot create'> = {}): Promise<Answer<'snapshot create'>> {
    return this.session.run('snapshot create', options)
  }

  /** Lists snapshots. */
  list(): Promise<Answer<'snapshot list'>> {
    return this.session.run('snapshot list', {})
  }

  /** Deletes old snapshots. */
  collect(options: Input<'snapshot gc'> = {}): Promise<Answer<'snapshot gc'>> {
    return this.session.run('snapshot gc', options)
  }
}

/** The log and its view. */
class Database extends Group {
  /** Returns sizes and counts. */
  stats(): Promise<Answer<'db stats'>> {
    return this.session.run('db stats', {})
  }

  /** Verifies the id of every event in the log. */
  check(options: Input<'db check'> = {}): Promise<Answer<'db check'>> {
    return this.session.run('db check', options)
  }

  /** Verifies the signatures of events. */
  verify(options: Input<'db verify'> = {}): Promise<Answer<'db verify'>> {
    return this.session.run('db verify', options)
  }

  /** Rebuilds the view from the log. */
  rebuild(options: Input<'rebuild'> = {}): Promise<Answer<'rebuild'>> {
    return this.session.run('rebuild', options)
  }
}

/** An open repository. Calls may overlap; writes run in the order of the calls. */
export class Repository implements AsyncDisposable {
  readonly #session: CommandSession
  readonly issues: Issues
  readonly queries: Queries
  readonly memories: Memories
  readonly context: Context
  readonly locks: Locks
  readonly actors: Actors
  readonly settings: Settings
  readonly snapshots: Snapshots
  readonly database: Database
  readonly streams: Streams

  /** Call `openRepository` instead. */
  constructor(session: CommandSession) {
    this.#session = session
    this.issues = new Issues(session)
    this.queries = new Queries(session)
    this.memories = new Memories(session)
    this.context = new Context(session)
    this.locks = new Locks(session)
    this.actors = new Actors(session)
    this.settings = new Settings(session)
    this.snapshots = new Snapshots(session)
    this.database = new Database(session)
    this.streams = new Streams(session)
  }

  /** A record stream, to append to, read and branch. @throws {InvalidArgsError} when no stream can have this id */
  stream(id: string): Stream {
    return new Stream(this.#session, id)
  }

  /** Runs any command by its name, with the input and data that `grite schema` describes. */
  run<Name extends CommandName>(name: Name, input: Input<Name>, options?: CallOptions): Promise<Answer<Name>> {
    return this.#session.run(name, input, options)
  }

  /** Sets the repository up: default actor, and the log of the home remote. */
  init(options: Input<'init'> = {}): Promise<Answer<'init'>> {
    return this.#session.run('init', options)
  }

  /** Fetches and pushes the log. */
  sync(options: Input<'sync'> = {}): Promise<Answer<'sync'>> {
    return this.#session.run('sync', options)
  }

  /** Takes one event back, or the last command of this actor. */
  undo(event?: string): Promise<Answer<'undo'>> {
    return this.#session.run('undo', { event })
  }

  /** Brings back what the last undo took. */
  redo(): Promise<Answer<'redo'>> {
    return this.#session.run('redo', {})
  }

  /** Applies many operations as one atomic commit; `grite help batch` lists them. */
  async batch(operations: readonly BatchOperation[]): Promise<Answer<'batch'>> {
    return this.#session.run('batch', {}, { stdin: operations.map(formatOperation).join('\n') })
  }

  /** Returns a short summary for the start of a session. */
  prime(options: Input<'prime'> = {}): Promise<Answer<'prime'>> {
    return this.#session.run('prime', options)
  }

  /** Exports all issues and events, to a file or as `content`. */
  export(options: Input<'export'>): Promise<Answer<'export'>> {
    return this.#session.run('export', options)
  }

  /** Lists closed issues by type, as for a release page. */
  changelog(options: Input<'changelog'> = {}): Promise<Answer<'changelog'>> {
    return this.#session.run('changelog', options)
  }

  /** Imports a beads tracker or a JSON export from a file. */
  import(file: string, options: Options<'import', 'file'> = {}): Promise<Answer<'import'>> {
    return this.#session.run('import', { ...options, file })
  }

  /** Checks the repository; with `fix` it fixes what is safe to fix. */
  doctor(options: Input<'doctor'> = {}): Promise<Answer<'doctor'>> {
    return this.#session.run('doctor', options)
  }

  /** Streams changes as they happen. Leaving the loop ends the stream. */
  watch(options: Options<'watch', 'exec' | 'argument'> = {}): AsyncGenerator<WatchItem, void, undefined> {
    return iterateFeed((emit, signal) => this.#session.feed('watch', options, emit, signal))
  }

  /** Waits for the calls made so far, and ends streams. */
  close(): Promise<void> {
    return this.#session.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function formatOperation(operation: BatchOperation, index: number): string {
  try {
    return JSON.stringify(operation)
  } catch (cause) {
    const details = { line: index + 1, field: 'line' }
    throw new InvalidArgsError(`line ${index + 1}: the operation cannot be written as JSON`, { details, cause })
  }
}

/** One line of `grite batch`: an `op`, and the keys of that operation. */
export interface BatchOperation {
  readonly op: string
  readonly [key: string]: unknown
}
