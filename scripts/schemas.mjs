// Generates src/commands/schemas.json: JSON Schemas for the input and the data of every command. Input schemas come from the
// definitions, data schemas from the exported types, through the compiler. Run with `npm run schemas`; `--check` writes
// nothing, and its exit status shows whether the file is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { getLibFiles, getLibFolderPath, ts } from '@ts-morph/common'
import { commandLineCommands } from '../src/cli/all-commands.ts'
import { camelCase } from '../src/commands/option-text.ts'

process.chdir(join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..'))

const file = 'src/commands/schemas.json'
const { exportedTypes, checker } = openProgram([
  'src/commands/index.ts',
  'src/cli/completion-command.ts',
  'src/cli/daemon/index.ts',
  'src/cli/mcp-command.ts',
  'src/git/buffer-slices.d.ts',
])
const schemas = Object.fromEntries(
  commandLineCommands.map((command) => {
    const data = schemaOf(exportedType(`${pascalCase(command.name)}Data`))
    const item = command.isFeed === true ? { item: schemaOf(exportedType(`${pascalCase(command.name)}Item`)) } : {}
    return [command.name, { summary: command.summary, input: inputSchema(command), data, ...item }]
  }),
)
const text = `${JSON.stringify(schemas, null, 1)}\n`
if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error(`${file} is out of date; run \`npm run schemas\``)
  process.exitCode = 1
}

function pascalCase(name) {
  return name.replace(/(?:^|[ -])(.)/g, (_, letter) => letter.toUpperCase())
}

function openProgram(rootNames) {
  const options = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', ts.sys.readFile).config,
    ts.sys,
    process.cwd(),
  ).options
  const program = ts.createProgram({ rootNames, options, host: hostOf(options) })
  const checker = program.getTypeChecker()
  const exportedTypes = new Map()
  for (const source of program.getSourceFiles()) {
    const module = /(^|\/)src\/(commands|cli)\//.test(source.fileName) ? checker.getSymbolAtLocation(source) : undefined
    if (module === undefined) continue
    for (const symbol of checker.getExportsOfModule(module)) {
      if ((symbol.flags & ts.SymbolFlags.Type) !== 0)
        exportedTypes.set(symbol.name, checker.getDeclaredTypeOfSymbol(symbol))
    }
  }
  return { exportedTypes, checker }
}

/** The package contains the compiler's library as strings, not as files. */
function hostOf(options) {
  const host = ts.createCompilerHost(options)
  const folder = getLibFolderPath({})
  const libraries = new Map(getLibFiles().map(({ fileName, text }) => [`${folder}/${fileName}`, text]))
  const { fileExists, readFile } = host
  return {
    ...host,
    getDefaultLibLocation: () => folder,
    getDefaultLibFileName: () => `${folder}/lib.d.ts`,
    fileExists: (path) => libraries.has(path) || fileExists(path),
    readFile: (path) => libraries.get(path) ?? readFile(path),
    getSourceFile: (path, target) => {
      const text = libraries.get(path) ?? readFile(path)
      return text === undefined ? undefined : ts.createSourceFile(path, text, target, true)
    },
  }
}

function exportedType(name) {
  const type = exportedTypes.get(name)
  if (type === undefined) throw new Error(`no file below src/commands exports the type ${name}`)
  return type
}

/** @param parents - enclosing types, to stop at recursive types */
function schemaOf(type, parents = []) {
  if (type.flags & ts.TypeFlags.Any)
    throw new Error(`a member of ${parents.map((one) => checker.typeToString(one)).join(' > ')} is any`)
  if (type.flags & ts.TypeFlags.Unknown) return {}
  if (type.flags & ts.TypeFlags.Null) return { type: 'null' }
  if (type.flags & ts.TypeFlags.BooleanLiteral) return { const: type.intrinsicName === 'true' }
  if (type.flags & (ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLiteral)) return { const: type.value }
  if (type.flags & ts.TypeFlags.Boolean) return { type: 'boolean' }
  if (type.flags & ts.TypeFlags.StringLike) return { type: 'string' }
  if (type.flags & ts.TypeFlags.NumberLike) return { type: 'number' }
  if (parents.includes(type)) return {}
  const inner = [...parents, type]
  if (type.isUnion()) return unionSchema(type.types, inner)
  if (checker.isArrayType(type)) return { type: 'array', items: schemaOf(checker.getTypeArguments(type)[0], inner) }
  if (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) return objectSchema(type, inner)
  throw new Error(`no schema is known for the type ${checker.typeToString(type)}`)
}

function unionSchema(types, parents) {
  const schemas = types.filter((one) => !(one.flags & ts.TypeFlags.Undefined)).map((one) => schemaOf(one, parents))
  const constants = schemas.filter((schema) => 'const' in schema).map((schema) => schema.const)
  const isBoolean = constants.includes(true) && constants.includes(false)
  const words = constants.filter((one) => !isBoolean || typeof one !== 'boolean').sort()
  const all = [
    ...(words.length === 1 ? [{ const: words[0] }] : words.length > 1 ? [{ enum: words }] : []),
    ...(isBoolean ? [{ type: 'boolean' }] : []),
    ...schemas.filter((schema) => !('const' in schema)),
  ]
  // The compiler orders unions by the first use of their types; the file must not depend on that.
  const sorted = all.sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
  const isPlain = sorted.every((schema) => Object.keys(schema).join() === 'type')
  if (sorted.length === 1) return sorted[0]
  return isPlain ? { type: sorted.map((schema) => schema.type) } : { anyOf: sorted }
}

function objectSchema(type, parents) {
  const properties = {}
  const required = []
  for (const symbol of checker.getPropertiesOfType(type)) {
    const member = checker.getTypeOfSymbol(symbol)
    const isUndefined = (one) => (one.flags & ts.TypeFlags.Undefined) !== 0
    // An always absent member discriminates the parts of a union.
    if (isUndefined(member)) continue
    const description = ts.displayPartsToString(symbol.getDocumentationComment(checker)).replaceAll(/\s+/g, ' ')
    properties[symbol.name] = { ...(description === '' ? {} : { description }), ...schemaOf(member, parents) }
    const isOptional =
      (symbol.flags & ts.SymbolFlags.Optional) !== 0 || (member.isUnion() && member.types.some(isUndefined))
    if (!isOptional) required.push(symbol.name)
  }
  const index = checker.getIndexInfoOfType(type, ts.IndexKind.String)
  return {
    type: 'object',
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    ...(required.length === 0 ? {} : { required }),
    ...(index === undefined ? {} : { additionalProperties: schemaOf(index.type, parents) }),
  }
}

function inputSchema({ options, arguments: positional }) {
  const properties = {}
  const required = []
  for (const [name, spec] of Object.entries(options)) {
    properties[camelCase(name)] = { description: spec.summary, ...listOr(spec, optionSchema(spec)) }
    if (spec.required === true) required.push(camelCase(name))
  }
  for (const [name, spec] of Object.entries(positional)) {
    const list = listOr(spec, { type: 'string' })
    const needed = spec.optional === true ? {} : { minItems: 1 }
    properties[camelCase(name)] = { description: spec.summary, ...list, ...(spec.repeatable === true ? needed : {}) }
    if (spec.optional !== true) required.push(camelCase(name))
  }
  return {
    type: 'object',
    properties,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  }
}

function listOr({ repeatable }, schema) {
  return repeatable === true ? { type: 'array', items: schema } : schema
}

function optionSchema({ type, choices, min = 0, valueOptional }) {
  if (type === 'boolean') return { type: 'boolean' }
  if (type === 'count') return { type: 'integer', minimum: min, maximum: Number.MAX_SAFE_INTEGER }
  const words = choices === undefined ? { type: 'string' } : { enum: [...choices] }
  return valueOptional === true ? { anyOf: [words, { const: true }] } : words
}
