/** Spelling of options and arguments in usage lines, help, messages and documentation. */
import type { AnyCommand, ArgumentSpec, OptionSpec } from './define-command.ts'

/** `body-file` → `bodyFile`, the key in `InputOf`. */
export function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** An option in usage lines and messages: `--limit <n>`. */
export function formatOption(name: string, spec: OptionSpec): string {
  if (spec.type === 'boolean') return `--${name}`
  const value = `<${spec.valueName ?? spec.choices?.join('|') ?? (spec.type === 'count' ? 'n' : 'text')}>`
  return `--${name} ${spec.valueOptional === true ? `[${value}]` : value}`
}

export function formatArgument(name: string, spec: ArgumentSpec): string {
  const dots = spec.repeatable === true ? '...' : ''
  return spec.optional === true ? `[${name}${dots}]` : `<${name}${dots}>`
}

/** The usage line of a command, with its required options. */
export function formatUsage(command: AnyCommand): string {
  const required = optionEntries(command).filter(([, spec]) => spec.required === true)
  return [
    'grite',
    command.name,
    ...argumentEntries(command).map(([name, spec]) => formatArgument(name, spec)),
    ...required.map(([name, spec]) => formatOption(name, spec)),
    ...(optionEntries(command).length > required.length ? ['[options]'] : []),
  ].join(' ')
}

export function optionEntries(command: AnyCommand): [string, OptionSpec][] {
  return Object.entries(command.options as Record<string, OptionSpec>)
}

export function argumentEntries(command: AnyCommand): [string, ArgumentSpec][] {
  return Object.entries(command.arguments as Record<string, ArgumentSpec>)
}
