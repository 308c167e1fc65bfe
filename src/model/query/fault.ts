import { type ErrorDetails, InvalidArgsError } from '../errors/index.ts'

/** A position in the text of a query: characters before it. */
export interface QueryPlace {
  readonly at: number
}

/** An error in a query, with its position: characters are counted from 1. */
export function queryFault(
  { at }: QueryPlace,
  problem: string,
  { hints = [], ...details }: ErrorDetails & { readonly hints?: readonly string[] },
): InvalidArgsError {
  return new InvalidArgsError(`query, character ${at + 1}: ${problem}`, {
    details: { field: 'query', position: at + 1, ...details },
    hints,
  })
}
