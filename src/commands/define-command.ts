/**
 * A command as data. Parsing, help, completion, docs/cli.md and the daemon's input check all derive from these
 * definitions. `run` takes typed input, returns data and never prints.
 */
import type { Json } from '../model/index.ts'
import type { CommandContext } from '../tracker/effects.ts'
import type { DeferredEntries, DeferredList, DeferredText } from '../tracker/export/json-pieces.ts'

/** The type that the text of an option or argument is parsed into before `run` sees it. */
export type ValueType = 'text' | 'boolean' | 'count'

/**
 * What completion offers for a value: ids or words from the repository, a few fixed words, or `key=` and then a value of
 * that field. Other values stay valid.
 */
export type Completed =
  | (
      | 'issue'
      | 'label'
      | 'assignee'
      | 'actor'
      | 'query'
      | 'memory'
      | 'remote'
      | 'type'
      | 'status'
      | 'milestone'
      | 'setting'
      | 'stream'
    )
  | ('state' | 'priority' | 'day' | 'shell')
  | 'field'
  | 'file'

export interface OptionSpec {
  /** `count` is a whole number, 0 or more. A boolean option takes no value; `--no-<name>` turns it off. */
  readonly type: ValueType
  readonly summary: string
  /** Placeholder for the value in help, for example `ms|event id|7d`. */
  readonly valueName?: string
  /** The value may be omitted at the end of the line or before another option; it is then the empty string. */
  readonly valueOptional?: boolean
  readonly choices?: readonly string[]
  /** Minimum of a count; default 0. */
  readonly min?: number
  /** May be given several times and collects all values; other options may be given once. */
  readonly repeatable?: boolean
  readonly required?: boolean
  /** One letter. */
  readonly short?: string
  /** Other spellings, accepted but not shown in help. */
  readonly aliases?: readonly string[]
  /** What completion offers for a value. */
  readonly completes?: Completed
  /** Of use only on a command line: changes what is printed, or names a file or program of the machine. */
  readonly cliOnly?: boolean
}

export interface ArgumentSpec {
  readonly summary: string
  readonly optional?: boolean
  /** The last argument may take several values. */
  readonly repeatable?: boolean
  /** The words are terms of a query: `-label:x` and `-crash` are negated terms, not options. */
  readonly takesTerms?: boolean
  /** A text with spaces, for which a person may forget the quotes. */
  readonly isProse?: boolean
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
 * When absent, a repeatable one is an empty list, a boolean is false, any other is undefined.
 */
export type InputOf<Arguments extends ArgumentTable, Options extends OptionTable> = {
  readonly [Name in keyof Arguments as CamelCase<Name & string>]: ArgumentValue<Arguments[Name]>
} & {
  readonly [Name in keyof Options as CamelCase<Name & string>]: OptionValue<Options[Name]>
}

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name

/** Input as callers give it: members with a default are optional, choices are literal types. `check-input.ts` completes it. */
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

/** Data of a command in its JSON form. */
export type DataOf<Command extends AnyCommand> = JsonForm<ResultOf<Command>>

/** Data of a command as `run` returns it: with branded ids and deferred parts. */
export type ResultOf<Command extends AnyCommand> = Awaited<ReturnType<Command['run']>>['data']

/** The JSON form of a value: ids are strings, deferred parts have the type that they resolve to. */
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

/** What every command returns. `--json` prints `data`, and a renderer may use nothing else. */
export interface CommandResult<Data> {
  readonly data: Data
  /** 1 when the command succeeded in part only, such as an import with malformed lines. Default 0. */
  readonly exitStatus?: number
}

/**
 * What a run changes, for callers that ask before or allow less.
 * - `reads`: nothing but caches.
 * - `adds`: a second run with the same input adds once more.
 * - `sets`: a second run with the same input changes nothing more.
 * - `destroys`: as `sets`, but it may remove or overwrite something that grite cannot bring back.
 */
export type Effect = 'reads' | 'adds' | 'sets' | 'destroys'

export interface CommandDefinition<
  Arguments extends ArgumentTable = ArgumentTable,
  Options extends OptionTable = OptionTable,
  Data = unknown,
  Name extends string = string,
> {
  /** Words as typed, for example `issue label add`. */
  readonly name: Name
  /** Single words that name the command, too, at the start of a line: `new` for `issue create`. */
  readonly shortForms?: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly examples: readonly CommandExample[]
  /**
   * Set by commands that process much data in one run: how far the heap may grow, in percent of the live data, before the process
   * collects garbage among old objects. V8 by itself lets it grow to several times the live data.
   */
  readonly heapGrowthPercent?: number
  /** The same after the first collection, when the heap is still small. */
  readonly firstHeapGrowthPercent?: number
  /**
   * Emits items through `context.emit` while it runs. With `--json` the output is these items, one JSON document a line,
   * and the result of `run` is not printed.
   */
  readonly isFeed?: boolean
  /**
   * Whether the daemon may run it: it needs neither the network nor the terminal, starts no programs and writes no files outside the
   * git directory; or not when one of these inputs is given. Absent: it runs in the process of the caller.
   */
  readonly served?: true | { readonly unless: readonly string[] }
  /**
   * Whether its answer depends only on the log, the locks, the actors and the settings of the clone, and on the time only through the
   * clock of the context. The daemon then gives it again while they stay as they are.
   */
  readonly isKept?: boolean
  /** Ends by itself when it is interrupted, and its result is then printed before the process exits. */
  readonly endsWhenInterrupted?: boolean
  /** Its data has parts that are read while they are printed; the repository stays open until then. */
  readonly isDeferred?: boolean
  /** It may write bytes to standard output itself, and then answers with data that prints nothing. */
  readonly writesBytes?: boolean
  /** Only reads, and mostly lists or single issues: it is tried on the view's rows files first. */
  readonly readsRows?: 'lists' | 'events'
  readonly effect: Effect
  /** Of use only on a command line: it needs a terminal, or its result is a file or bytes. */
  readonly cliOnly?: boolean
  /** What it reads from standard input whatever its input is. */
  readonly readsStdin?: string
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

/** A definition without its exact input and data types, for tables of commands. */
export interface AnyCommand extends Omit<CommandDefinition, 'run'> {
  /** The input must come from `check-input.ts`, checked against this definition. */
  readonly run: (context: CommandContext, input: never) => Promise<CommandResult<unknown>>
}

/** Options that every command takes, anywhere on the line. */
export const globalOptions = {
  json: { type: 'boolean', summary: 'Print one JSON document for scripts' },
  pretty: { type: 'boolean', summary: 'Indent JSON; the default on a terminal only' },
  quiet: { type: 'boolean', short: 'q', summary: 'Print only the result; no hints, no warnings' },
  'no-pager': { type: 'boolean', summary: 'Never page output' },
  'no-daemon': { type: 'boolean', summary: 'Run in this process even if a daemon is running' },
  actor: { type: 'text', valueName: 'id', summary: 'Act as this actor (id or unique prefix)', completes: 'actor' },
  'data-dir': { type: 'text', valueName: 'dir', summary: 'Use the actor stored in this directory', completes: 'file' },
} as const satisfies OptionTable
