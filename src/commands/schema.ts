import { InvalidArgsError } from '../model/index.ts'
import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'

/** A JSON Schema, of the draft 2020-12. */
type JsonSchema = Readonly<Record<string, unknown>>

interface CommandSchemas {
  readonly command: string
  readonly summary: string
  /** What a library call or a request gives; the command line turns its words into the same value. */
  readonly input: JsonSchema
  /** The member `data` of the document that `--json` prints. */
  readonly data: JsonSchema
  /** One line of a feed. */
  readonly item?: JsonSchema
}

export const schema = defineCommand({
  name: 'schema',
  summary: 'Print JSON Schemas of the input and data of commands',
  description:
    'Input is the value that the library takes; an option is named in camel case there. Data is the member `data` of what ' +
    '`--json` prints. Members may be added in later versions, so that a schema of data allows others. The draft is 2020-12.',
  examples: [
    { command: 'grite schema issue create', explains: 'of one command' },
    { command: 'grite schema --json', explains: 'of all commands, for a script' },
  ],
  arguments: {
    command: { summary: 'Words of a command, or of a group; default every command', optional: true, repeatable: true },
  },
  options: {},
  async run(_context, input) {
    const { default: all } = await import('./schemas.json', { with: { type: 'json' } })
    const name = input.command.join(' ')
    const schemas: CommandSchemas[] = Object.entries(all)
      .filter(([command]) => name === '' || command === name || command.startsWith(`${name} `))
      .map(([command, schemas]) => ({ command, ...schemas }))
    if (schemas.length > 0) return { data: { schemas } }
    throw new InvalidArgsError(`there is no command '${name}'`, {
      details: { field: 'command', value: name },
      hints: ['Run `grite help` to see the commands'],
    })
  },
})

export type SchemaInput = GivenInput<typeof schema>
export type SchemaData = DataOf<typeof schema>
