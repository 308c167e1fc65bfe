import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { CorruptObjectError, GitError, NotFoundError, StorageError } from '../../model/errors/index.ts'
import { classifyGitFailure, type GitFailure } from '../classify-git-failure.ts'
import { findPackOf } from '../durable/pack-index.ts'
import { hashObject } from '../object-codec.ts'
import type { GitObject, Oid, RepositoryLayout } from '../port.ts'
import { looseObjectPath } from '../ref-paths.ts'
import { type GitRunner, noLazyFetch } from '../run-git.ts'
import { tooLargeError } from '../too-large-error.ts'
import { type BatchParser, createBatchParser } from './batch-parser.ts'

/** Reads single objects through one long-lived `git cat-file --batch`, which does not keep our process alive. */
export interface ObjectReader {
  /** Like `GitPort.readObject`. Requests may overlap; they are answered in order. */
  read(oid: Oid, bytesMax: number): Promise<GitObject | null>
  close(): Promise<void>
}

interface Question {
  readonly oid: Oid
  readonly bytesMax: number
  readonly resolve: (object: GitObject | null) => void
  readonly reject: (error: unknown) => void
}

interface Session {
  readonly child: ChildProcess
  readonly parser: BatchParser
  readonly ended: Promise<GitFailure>
}

/**
 * Opens a reader; git starts with the first request. When git dies of an object (a corrupt one ends it), the current
 * request gets that error, and a new process answers the rest.
 */
export function createObjectReader(git: GitRunner, layout: RepositoryLayout): ObjectReader {
  const format = layout.objectFormat
  const questions: Question[] = []
  let session: Promise<Session> | null = null
  let closed = false

  function answer(settle: (question: Question) => void): void {
    const question = questions.shift()
    if (question) settle(question)
  }

  async function open(): Promise<Session> {
    const { child, ended } = await git.start(['cat-file', '--batch'], { environment: noLazyFetch })
    const parser = createBatchParser(format, {
      contentMax: () => questions[0]?.bytesMax ?? 0,
      found: (oid, type, content) => answer((question) => question.resolve({ oid, type, content })),
      tooLarge: (oid, type, size) =>
        answer(({ bytesMax, reject }) => reject(tooLargeError({ oid, type, size, limit: bytesMax }))),
      missing: () => answer((question) => question.resolve(null)),
    })
    child.stdin?.on('error', () => {})
    child.stdout?.on('data', (chunk: Buffer) => {
      parser.push(chunk)
      if (questions.length === 0) keepAlive(child, false)
    })
    const opened = { child, parser, ended }
    void ended.then(onEnd)
    return opened
  }

  function onEnd(end: GitFailure): void {
    session = null
    if (closed || questions.length === 0) return
    answer((question) => settleByProcessEnd(question, end))
    const rest = [...questions]
    questions.length = 0
    for (const question of rest) ask(question)
  }

  function ask(question: Question): void {
    questions.push(question)
    session ??= open()
    session.then(
      ({ child }) => {
        keepAlive(child, true)
        child.stdin?.write(`${question.oid}\n`)
      },
      (error: unknown) => {
        session = null
        const at = questions.indexOf(question)
        if (at >= 0) questions.splice(at, 1)
        question.reject(error)
      },
    )
  }

  return {
    async read(oid, bytesMax) {
      if (closed) throw new GitError('the repository has been closed')
      const object = await new Promise<GitObject | null>((resolve, reject) => ask({ oid, bytesMax, resolve, reject }))
      // git also reports `missing` for an object whose header it cannot inflate.
      if (object === null && isStored(layout, oid)) throw corrupt(oid, 'cannot be inflated')
      if (object !== null && hashObject(format, object.type, object.content) !== oid) {
        throw corrupt(oid, 'does not match its id')
      }
      return object
    },
    async close() {
      if (closed) return
      closed = true
      const open = await session?.catch(() => null)
      if (!open) return
      keepAlive(open.child, true)
      open.child.stdin?.end()
      await open.ended
      for (const question of questions) question.reject(new GitError('the repository has been closed'))
    },
  }
}

function settleByProcessEnd(question: Question, end: GitFailure): void {
  const error = classifyGitFailure(end)
  if (error instanceof NotFoundError) question.resolve(null)
  // A failing disk or a killed git is no evidence about the object.
  else if (error instanceof StorageError || end.exitStatus === null) question.reject(error)
  else
    question.reject(
      new CorruptObjectError(`object ${question.oid} is corrupt`, { cause: error, details: { oid: question.oid } }),
    )
}

function isStored(layout: RepositoryLayout, oid: Oid): boolean {
  return existsSync(looseObjectPath(layout, oid)) || findPackOf(layout, oid) !== null
}

function corrupt(oid: Oid, what: string): CorruptObjectError {
  return new CorruptObjectError(`object ${oid} ${what}`, { details: { oid } })
}

interface Refable {
  ref(): void
  unref(): void
}

// Pipes of a child are sockets, which have ref and unref though their stream types do not.
function keepAlive(child: ChildProcess, alive: boolean): void {
  for (const handle of [child, child.stdin, child.stdout, child.stderr] as unknown as (Refable | null)[]) {
    if (alive) handle?.ref()
    else handle?.unref()
  }
}
