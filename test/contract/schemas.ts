/** The published JSON Schemas as checks of real input and answers. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import schemas from '../../src/commands/schemas.json' with { type: 'json' }

type Part = 'input' | 'data' | 'item'
type Schema = Readonly<Record<string, unknown>>

export const schemaOfCommand: Readonly<Record<string, { readonly [Name in Part]?: Schema }>> = schemas

const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true })
const validators = new Map<string, ValidateFunction>()

/** What is wrong with a value by the schema of a command, a member that the schema does not name included. */
export function schemaFaults(command: string, part: Part, value: unknown): string[] {
  const key = `${part} of ${command}`
  let validate = validators.get(key)
  if (validate === undefined) {
    const schema = schemaOfCommand[command]?.[part]
    if (schema === undefined) return [`there is no schema for the ${key}`]
    validate = ajv.compile(exactly(schema) as Schema)
    validators.set(key, validate)
  }
  if (validate(value)) return []
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    return `${instancePath}: ${message} ${JSON.stringify(params)}`
  })
}

/** The schema without room for members that it does not name: answers may grow, but not unnoticed. */
function exactly(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(exactly)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, exactly(value)]))
  return isSchemaOfObject(schema) ? { additionalProperties: false, ...inner } : inner
}

const isSchemaOfObject = (schema: object): boolean =>
  'properties' in schema && 'type' in schema && schema.type === 'object'
