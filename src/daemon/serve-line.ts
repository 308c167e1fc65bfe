/** Serves `run`: a command line whose streams are frames. */
import { type Frame, partBytesMax, tell, type WireValue } from '../ipc/index.ts'
import { isRequestKey } from '../model/index.ts'
import { formatJson } from '../tracker/export/json-pieces.ts'
import type { AnswerCache, KeptAnswer } from './answer-cache.ts'
import type { Request } from './connection.ts'
import type { Line, LineEffects, LineStreams, RunLine } from './line.ts'

/** Reads the frame of a `run`. @throws {Error} naming what is wrong with it */
export function parseLine([, , key, argv, cwd, environment, terminal]: Frame): Line {
  if (!isTexts(argv)) throw new Error('the words are not an array of texts')
  if (typeof cwd !== 'string' || !cwd.startsWith('/')) throw new Error('the current directory is not absolute')
  const [stdin, stdout, stderr, columns, rows] = Array.isArray(terminal) ? (terminal as WireValue[]) : []
  if (typeof stdin !== 'boolean' || typeof stdout !== 'boolean' || typeof stderr !== 'boolean') {
    throw new Error('the terminal does not say what is one')
  }
  if (typeof columns !== 'number' || typeof rows !== 'number') throw new Error('the terminal has no size')
  return {
    key: parseKey(key),
    argv,
    cwd,
    env: parseEnvironment(environment),
    terminal: { stdin, stdout, stderr, columns, rows },
  }
}

export function parseKey(value: WireValue | undefined): string | null {
  if (value === null || isKey(value)) return value
  throw new Error('the key is not <unix ms>-<32 hexadecimal digits>')
}

export function parseEnvironment(value: WireValue | undefined): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new Error('the environment is not a map')
  }
  const known = environments.get(value)
  if (known !== undefined) return known
  const env: Record<string, string> = {}
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw new Error(`the variable ${name} is not text`)
    env[name] = text
  }
  environments.set(value, env)
  return env
}

/** By the map of the frame: the frames of a client that have the same environment have the same map. */
const environments = new WeakMap<object, Readonly<Record<string, string>>>()

const isKey = (value: WireValue | undefined): value is string => typeof value === 'string' && isRequestKey(value)
const isTexts = (value: WireValue | undefined): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')

/** Variables of git that do not change what a command without the network and without an editor does. */
const freeOfGit =
  /^GIT_(?:EDITOR|SEQUENCE_EDITOR|PAGER|ASKPASS|SSH|SSH_COMMAND|SSH_VARIANT|TERMINAL_PROMPT|MERGE_AUTOEDIT|PROMPT_\w+|TRACE\w*)$/

/** The variables that a request and the daemon must have alike, as one text. */
export function environmentMark(env: Readonly<Record<string, string | undefined>>): string {
  const names = Object.keys(env).filter((name) => name.startsWith('GIT_') && !freeOfGit.test(name))
  return ['HOME', 'XDG_CONFIG_HOME', 'TZ', ...names.sort()].map((name) => `${name}=${env[name] ?? '\0'}`).join('\n')
}

/** Runs a line and sends what it prints. */
export async function serveLine(
  request: Request,
  line: Line,
  runLine: RunLine,
  effects: LineEffects,
  cache: AnswerCache,
): Promise<void> {
  const accept = () => request.accept(line.key, effects.nowUnixMs)
  const stamp = cache.stamp()
  const { argv, cwd, env, terminal } = line
  const question = stamp === null ? '' : formatJson([argv, cwd, env, terminal], 'compact')
  const kept = stamp === null ? undefined : cache.find(question, stamp)
  if (kept !== undefined) {
    accept()
    return sendKept(request, kept)
  }
  const copy = new Copy()
  const outcome = await runLine(line, { ...openStreams(request, copy), accept }, effects)
  if ('refused' in outcome) return request.refuse(outcome.refused, 'run `grite` itself')
  request.finish(tell.exit, outcome.status)
  // A line whose client has gone or read no further may have ended before its end.
  const isWhole = !request.isCancelled && !copy.isCut
  if (outcome.isRepeatable === true && isWhole && stamp !== null)
    cache.keep(question, stamp, { ...copy.bytes(), ...outcome })
}

async function sendKept(request: Request, { stdout, stderr, status }: KeptAnswer): Promise<void> {
  await sendParts(request, 'stdout', stdout)
  await sendParts(request, 'stderr', stderr)
  request.finish(tell.exit, status)
}

/** What a line prints, up to a bound. */
class Copy {
  readonly #texts = { stdout: '', stderr: '' }
  /** Something was too long for it, or not taken by its reader. */
  isCut = false

  add(stream: 'stdout' | 'stderr', output: string | Uint8Array): void {
    if (this.isCut) return
    // Only feeds print bytes, and no answer of theirs is kept.
    if (typeof output === 'string') this.#texts[stream] += output
    this.isCut = this.#texts.stdout.length + this.#texts.stderr.length > copyLengthMax
  }

  /** Encoded, so that a kept answer is sent as it is. */
  bytes() {
    const { stdout, stderr } = this.#texts
    return { stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) }
  }
}

/** UTF-16 units: a longer answer is not kept. */
const copyLengthMax = 8 * 1024 * 1024

async function sendParts(request: Request, stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void> {
  for (let start = 0; start < bytes.length; start += partBytesMax) {
    if (request.isOver) return
    await request.sendPart(tell[stream], bytes.subarray(start, start + partBytesMax))
  }
}

function openStreams(request: Request, copy: Copy): Omit<LineStreams, 'accept'> {
  const closed = { stdout: false, stderr: false }
  const unread = new Set<() => void>()
  let takePart: ((part: Uint8Array) => void) | undefined
  request.listener = {
    stdin: (bytes) => {
      const take = takePart
      if (take === undefined) throw new Error('stdin that was not asked for')
      if (bytes.length > partBytesMax) throw new Error(`a part of stdin of ${bytes.length} bytes`)
      takePart = undefined
      take(bytes)
    },
    closed: (stream) => {
      closed[stream === 2 ? 'stderr' : 'stdout'] = true
      if (stream === 1) for (const callback of unread) callback()
    },
    // A command that waits for input gets its end.
    cancel: () => takePart?.(new Uint8Array()),
  }
  return {
    cancelled: request.signal,
    mayBeRepeated: () => request.mayBeRepeated(),
    setEndless() {
      request.isEndless = true
      request.isLine = true
    },
    async write(stream, output) {
      copy.add(stream, output)
      const bytes = typeof output === 'string' ? Buffer.from(output) : output
      if (!closed[stream]) await sendParts(request, stream, bytes)
      const isTaken = !request.isOver && !closed[stream]
      if (!isTaken) copy.isCut = true
      return isTaken ? 'written' : 'closed'
    },
    async *stdin() {
      for (;;) {
        if (request.isCancelled) return
        const part = new Promise<Uint8Array>((resolve) => {
          takePart = resolve
        })
        void request.send(tell.wantStdin)
        const bytes = await part
        if (bytes.length === 0) return
        yield bytes
      }
    },
    onUnread(callback) {
      unread.add(callback)
      return () => void unread.delete(callback)
    },
  }
}
