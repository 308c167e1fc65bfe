import { type ErrorDetails, InvalidArgsError } from '../errors/index.ts'

/** Where something stands in the text of a query: characters before it. */
export interface QueryPlace {
  readonly at: number
}

/** What is wrong with a query, and where: characters are counted from 1. */
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
