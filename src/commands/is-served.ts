import type { AnyCommand } from './define-command.ts'

/** Whether the daemon may run a command with this input. */
export function isServed({ served, heapGrowthPercent }: AnyCommand, input: Readonly<Record<string, unknown>>): boolean {
  // A command that changes how the heap grows has a process of its own.
  if (served === undefined || heapGrowthPercent !== undefined) return false
  return served === true || served.unless.every((name) => !isGiven(input[name]))
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)
}
