import { InvalidArgsError } from '../model/index.ts'
import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'

/** A JSON Schema, draft 2020-12. */
type JsonSchema = Readonly<Record<string, unknown>>

interface CommandSchemas {
  readonly command: string
  readonly summary: string
  /** The value that a library call or a request passes; the command line parses its words into the same value. */
  readonly input: JsonSchema
  /** The member `data` of the document that `--json` prints. */
  readonly data: JsonSchema
  /** One line of a feed. */
  readonly item?: JsonSchema
}

export const schema = defineCommand({
  name: 'schema',
  summary: 'Print JSON Schemas for the input and output of commands',
  description:
    '`input` is the value that the library takes, with option names in camel case. `data` is the member `data` of the ' +
    '`--json` output. Later versions may add members, so the schema of `data` allows unknown ones. Draft 2020-12.',
  examples: [
    { command: 'grite schema issue create', explains: 'one command' },
    { command: 'grite schema --json', explains: 'all commands, for a script' },
  ],
  effect: 'reads',
  arguments: {
    command: { summary: 'A command or a group of commands; default all commands', optional: true, repeatable: true },
  },
  options: {},
  async run(_context, input) {
    const { default: all } = await import('./schemas.json', { with: { type: 'json' } })
    const name = input.command.join(' ')
    const schemas: CommandSchemas[] = Object.entries(all)
      .filter(([command]) => name === '' || command === name || command.startsWith(`${name} `))
      .map(([command, schemas]) => ({ command, ...schemas }))
    if (schemas.length > 0) return { data: { schemas } }
    throw new InvalidArgsError(`unknown command '${name}'`, {
      details: { field: 'command', value: name },
      hints: ['Run `grite help` to see the commands'],
    })
  },
})

export type SchemaInput = GivenInput<typeof schema>
export type SchemaData = DataOf<typeof schema>
