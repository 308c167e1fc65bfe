/** Serves `call`: a command with typed input, whose data is the answer. */

import type { CommandName } from '../commands/index.ts'
import { isServed } from '../commands/is-served.ts'
import { type Frame, partBytesMax, tell, type WireMap, type WireValue, wireText } from '../ipc/index.ts'
import { errorToWire } from '../ipc/wire-errors.ts'
import { fromText, toText } from '../library/call-on-wire.ts'
import { findCommand } from '../library/find-command.ts'
import { Session } from '../library/session.ts'
import { IpcError } from '../model/errors/index.ts'
import type { Workspace } from '../tracker/workspace.ts'
import type { Request } from './connection.ts'
import type { LineEffects } from './line.ts'
import { parseEnvironment, parseKey } from './serve-line.ts'

export interface Call {
  readonly key: string | null
  readonly command: string
  readonly input: Readonly<Record<string, unknown>>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly actor: string | undefined
  readonly dataDir: string | undefined
  readonly stdin: string | undefined
}

/** Reads the frame of a `call`. @throws {Error} naming what is wrong with it */
export function parseCall([, , key, command, input, cwd, environment, options]: Frame): Call {
  if (typeof cwd !== 'string' || !cwd.startsWith('/')) throw new Error('the current directory is not absolute')
  const given = fromText(input)
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new Error('the input is not an object')
  return {
    key: parseKey(key),
    command: wireText(command),
    input: given as Readonly<Record<string, unknown>>,
    cwd,
    env: parseEnvironment(environment),
    actor: optionOf(options, 'actor'),
    dataDir: optionOf(options, 'data-dir'),
    stdin: optionOf(options, 'stdin'),
  }
}

function optionOf(options: WireValue | undefined, name: string): string | undefined {
  const value = typeof options === 'object' && options !== null ? (options as WireMap)[name] : undefined
  return typeof value === 'string' ? value : undefined
}

/** Runs a command and sends its data. Never throws. */
export async function serveCall(request: Request, call: Call, effects: LineEffects): Promise<void> {
  const command = findCommand(call.command)
  if (command === undefined || !isServed(command, call.input)) {
    request.refuse('local', 'run it in your own process')
    return
  }
  let left: 'local' | 'repository' | undefined
  const leave = (reason: 'local' | 'repository'): never => {
    left = reason
    throw new IpcError('left to the caller')
  }
  request.isEndless = command.isFeed === true
  request.accept(call.key, effects.nowUnixMs)
  const session = new Session(
    { open: (facts) => effects.openRepository(facts, leave) as Promise<Workspace>, close: async () => {} },
    {
      cwd: call.cwd,
      env: call.env,
      identity: { actor: call.actor, dataDir: call.dataDir },
      clock: { nowUnixMs: effects.nowUnixMs },
      random: { bytes: effects.randomBytes },
      warn: (warning) => void request.send(tell.warning, toText(warning)),
      signal: request.signal,
    },
  )
  const name = call.command as CommandName
  try {
    if (command.isFeed === true) {
      await session.feed(name, call.input as never, itemsOf(request), request.signal)
      request.finish(tell.answer, null)
    } else {
      const { key, stdin } = call
      const data = await session.run(name, call.input as never, {
        stdin,
        ...(key === null ? {} : { key, mayBeRepeated: () => request.mayBeRepeated() }),
      })
      await answer(request, toText(data))
    }
  } catch (error) {
    if (left !== undefined) request.refuse(left, 'run it in your own process')
    else request.finish(tell.failure, toText(errorToWire(error)))
  }
}

/** A long answer crosses in parts. */
async function answer(request: Request, text: string): Promise<void> {
  if (text.length < partBytesMax / 3) return request.finish(tell.answer, text)
  const bytes = Buffer.from(text)
  for (let start = 0; start < bytes.length; start += partBytesMax) {
    await request.send(tell.part, bytes.subarray(start, start + partBytesMax))
  }
  request.finish(tell.answer, '')
}

/** Sends an item when the client has asked for one more. */
function itemsOf(request: Request): (item: unknown) => Promise<void> {
  let credit = 0
  let wake = (): void => {}
  request.listener = {
    credit: (count) => {
      credit += count
      wake()
    },
    cancel: () => wake(),
  }
  return async (item) => {
    while (credit === 0 && !request.isCancelled) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    credit -= 1
    await request.send(tell.item, toText(item))
  }
}
