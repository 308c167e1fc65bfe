/**
 * A command as data. Parsing, help, completion, docs/cli.md and the daemon's input check all derive from these
 * definitions; `run` gets typed input, returns data and never prints.
 */
import type { Json } from '../model/index.ts'
import type { CommandContext } from '../tracker/effects.ts'
import type { DeferredEntries, DeferredList, DeferredText } from '../tracker/export/json-pieces.ts'

/** What the text of an option or argument is turned into before `run` sees it. */
export type ValueType = 'text' | 'boolean' | 'count'

/**
 * What completion offers for a value: what the repository holds, a few fixed words, or `key=` and then a value of that
 * field. It binds nothing.
 */
export type Completed =
  | ('issue' | 'label' | 'assignee' | 'actor' | 'query' | 'remote' | 'type' | 'status' | 'milestone')
  | ('state' | 'priority' | 'shell')
  | 'field'
  | 'file'

export interface OptionSpec {
  /** `count` is a whole number from 0. A boolean option takes no value; `--no-<name>` turns it off. */
  readonly type: ValueType
  readonly summary: string
  /** Stands for the value in help, for example `ms|event id|7d`. */
  readonly valueName?: string
  /** May stand without a value, which then is the empty text: at the end of the line or before another option. */
  readonly valueOptional?: boolean
  readonly choices?: readonly string[]
  /** The least count that is allowed; 0 by default. */
  readonly min?: number
  /** May be given several times (and collects all values); others may be given once. */
  readonly repeatable?: boolean
  readonly required?: boolean
  /** One letter. */
  readonly short?: string
  /** Other spellings that are accepted but not shown. */
  readonly aliases?: readonly string[]
  /** What completion offers for a value. */
  readonly completes?: Completed
}

export interface ArgumentSpec {
  readonly summary: string
  readonly optional?: boolean
  /** The last argument may take several values. */
  readonly repeatable?: boolean
  /** Terms of a query: of the words on the line, those like `-label:x` and `-crash` are terms and not options. */
  readonly takesTerms?: boolean
  readonly completes?: Completed
}

export type OptionTable = Readonly<Record<string, OptionSpec>>
export type ArgumentTable = Readonly<Record<string, ArgumentSpec>>

type ValueOf<Type extends ValueType> = Type extends 'text' ? string : Type extends 'boolean' ? boolean : number

type OptionValue<Spec extends OptionSpec> = Spec extends { readonly repeatable: true }
  ? readonly ValueOf<Spec['type']>[]
  : Spec extends { readonly required: true }
    ? ValueOf<Spec['type']>
    : Spec['type'] extends 'boolean'
      ? boolean
      : ValueOf<Spec['type']> | undefined

type ArgumentValue<Spec extends ArgumentSpec> = Spec extends { readonly repeatable: true }
  ? readonly string[]
  : Spec extends { readonly optional: true }
    ? string | undefined
    : string

/**
 * What `run` receives: arguments and options by their names in camel case (`body-file` arrives as `bodyFile`).
 * A repeatable one is a list, empty when absent; a boolean is false when absent; others are undefined.
 */
export type InputOf<Arguments extends ArgumentTable, Options extends OptionTable> = {
  readonly [Name in keyof Arguments as CamelCase<Name & string>]: ArgumentValue<Arguments[Name]>
} & {
  readonly [Name in keyof Options as CamelCase<Name & string>]: OptionValue<Options[Name]>
}

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name

/** Input as callers give it: what may be absent is optional, and choices are spelt out. `check-input.ts` completes it. */
export type GivenInput<Command extends AnyCommand> = Given<Command['arguments'], Command['options']>

type Given<Arguments extends ArgumentTable, Options extends OptionTable> = Flat<
  {
    readonly [Name in keyof Arguments as Arguments[Name] extends { readonly optional: true }
      ? never
      : CamelCase<Name & string>]: GivenArgument<Arguments[Name]>
  } & {
    readonly [Name in keyof Arguments as Arguments[Name] extends { readonly optional: true }
      ? CamelCase<Name & string>
      : never]?: GivenArgument<Arguments[Name]> | undefined
  } & {
    readonly [Name in Exclude<keyof Options, keyof Arguments> as Options[Name] extends { readonly required: true }
      ? CamelCase<Name & string>
      : never]: GivenOption<Options[Name]>
  } & {
    readonly [Name in Exclude<keyof Options, keyof Arguments> as Options[Name] extends { readonly required: true }
      ? never
      : CamelCase<Name & string>]?: GivenOption<Options[Name]> | undefined
  }
>

type GivenArgument<Spec extends ArgumentSpec> = Spec extends { readonly repeatable: true } ? readonly string[] : string

type GivenOption<Spec extends OptionSpec> = Spec extends { readonly repeatable: true }
  ? readonly GivenValue<Spec>[]
  : GivenValue<Spec>

type GivenValue<Spec extends OptionSpec> = Spec extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : Spec extends { readonly valueOptional: true }
    ? ValueOf<Spec['type']> | true
    : ValueOf<Spec['type']>

type Flat<Type> = { [Key in keyof Type]: Type[Key] }

/** Data of a command as JSON has it. */
export type DataOf<Command extends AnyCommand> = JsonForm<ResultOf<Command>>

/** Data of a command as `run` returns it: ids have types of their own, and parts may be deferred. */
export type ResultOf<Command extends AnyCommand> = Awaited<ReturnType<Command['run']>>['data']

/** A value as JSON has it: ids are texts, and deferred parts are what they become. */
export type JsonForm<Value> = [Json] extends [Value] ? Value : JsonMember<Value>

type JsonMember<Value> = Value extends string
  ? Exclude<keyof Value, keyof string> extends never
    ? Value
    : string
  : Value extends DeferredText
    ? string
    : Value extends DeferredList<infer Element>
      ? readonly JsonForm<Element>[]
      : Value extends DeferredEntries
        ? Readonly<Record<string, unknown>>
        : Value extends object
          ? { readonly [Key in keyof Value]: JsonForm<Value[Key]> }
          : Value

export interface CommandExample {
  readonly command: string
  readonly explains: string
}

/** What every command returns: `data` is what `--json` prints, and all that a renderer may use. */
export interface CommandResult<Data> {
  readonly data: Data
  /** Exit status when the command did what it could but not all (import with bad lines): 1. Default 0. */
  readonly exitStatus?: number
}

/**
 * By how much of what is alive the heap may grow before the process looks at old objects for garbage. V8 by itself would
 * let it grow to several times of that. Data, as all of a definition but `run` is.
 */
export interface HeapGrowth {
  readonly percent: number
  /** Another measure for when a switch is on. */
  readonly given?: { readonly input: string; readonly percent: number }
}

export interface CommandDefinition<
  Arguments extends ArgumentTable = ArgumentTable,
  Options extends OptionTable = OptionTable,
  Data = unknown,
  Name extends string = string,
> {
  /** Words as typed, for example `issue label add`. */
  readonly name: Name
  readonly summary: string
  readonly description?: string
  readonly examples: readonly CommandExample[]
  /** Works through much data in one go, and trades some speed for a small heap. */
  readonly heapGrowth?: HeapGrowth
  /**
   * Tells what it finds while it runs, through `context.emit`. With `--json` those lines are the output, each a document
   * of its own, and what `run` returns is for people only.
   */
  readonly isFeed?: boolean
  /** Its answer has parts that are read while they are printed; the repository stays open until then. */
  readonly isDeferred?: boolean
  readonly arguments: Arguments
  readonly options: Options
  readonly run: (context: CommandContext, input: InputOf<Arguments, Options>) => Promise<CommandResult<Data>>
}

/** Fixes the types of a definition; adds nothing. */
export function defineCommand<
  const Arguments extends ArgumentTable,
  const Options extends OptionTable,
  Data,
  const Name extends string,
>(definition: CommandDefinition<Arguments, Options, Data, Name>): CommandDefinition<Arguments, Options, Data, Name> {
  return definition
}

/** A definition whose exact input and data types are forgotten, as tables of commands hold them. */
export interface AnyCommand extends Omit<CommandDefinition, 'run'> {
  /** The input is what `check-input.ts` has made of a value by the same definition. */
  readonly run: (context: CommandContext, input: never) => Promise<CommandResult<unknown>>
}

/** Options that every command takes, anywhere on the line. */
export const globalOptions = {
  json: { type: 'boolean', summary: 'Print one JSON document for scripts' },
  quiet: { type: 'boolean', short: 'q', summary: 'Print only what was asked for; no hints, no warnings' },
  'no-pager': { type: 'boolean', summary: 'Print long output at once, also on a terminal' },
  'no-daemon': { type: 'boolean', summary: 'Work in this process even while a daemon runs' },
  actor: { type: 'text', valueName: 'id', summary: 'Act as this actor (id or unique prefix)', completes: 'actor' },
  'data-dir': { type: 'text', valueName: 'dir', summary: 'Take the actor from this directory', completes: 'file' },
} as const satisfies OptionTable
