import { GriteError } from '../../model/index.ts'

/** Adds the line of the input to an error that has none. */
export function atLine(line: number, error: unknown): unknown {
  if (!(error instanceof GriteError) || 'line' in error.details) return error
  error.message = `line ${line}: ${error.message}`
  error.addDetails({ line })
  return error
}
