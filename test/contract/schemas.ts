/** Checks real input and answers against the published JSON Schemas. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import schemas from '../../src/commands/schemas.json' with { type: 'json' }

type Part = 'input' | 'data' | 'item'
type Schema = Readonly<Record<string, unknown>>

export const schemaOfCommand: Readonly<Record<string, { readonly [Name in Part]?: Schema }>> = schemas

const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true })
const validators = new Map<string, ValidateFunction>()

/** Lists violations of a command's schema, including members that the schema does not name. */
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

/** Closes the schema to unnamed members, so that an answer cannot grow unnoticed. */
function exactly(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(exactly)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, exactly(value)]))
  return isSchemaOfObject(schema) ? { additionalProperties: false, ...inner } : inner
}

const isSchemaOfObject = (schema: object): boolean =>
  'properties' in schema && 'type' in schema && schema.type === 'object'
