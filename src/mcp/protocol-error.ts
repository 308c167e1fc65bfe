import { describeError } from './results.ts'

/** Codes of JSON-RPC, and that of MCP for a resource that does not exist. */
const codes = { invalidParams: -32602, internalError: -32603, resourceNotFound: -32002 } as const

/** An error of the protocol. The SDK's own class puts the code before the message, and its client once more. */
export class ProtocolError extends Error {
  readonly code: number
  readonly data: unknown

  constructor(code: keyof typeof codes, message: string, data?: unknown) {
    super(message)
    this.code = codes[code]
    this.data = data
  }
}

/** Outside of tools, a failure is an error of the protocol, with the stable code in its data. */
export async function asProtocolError<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const { message, ...data } = describeError(error)
    const { code } = data
    throw new ProtocolError(kindOf(code), message, data)
  }
}

function kindOf(code: string): keyof typeof codes {
  if (code === 'not_found') return 'resourceNotFound'
  return code === 'invalid_args' ? 'invalidParams' : 'internalError'
}
