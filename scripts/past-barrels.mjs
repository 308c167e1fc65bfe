import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { ts } from '@ts-morph/common'

/**
 * Redirects each import from the `index.ts` of a layer to the file that defines the name. At a start the index would
 * run every file of its layer, and most commands need few. Works on the syntax tree, so formatting does not matter; a form
 * of import that it cannot redirect ends the build.
 */
export function pastBarrels() {
  return {
    name: 'past-barrels',
    setup(plugin) {
      plugin.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => ({
        contents: redirectBarrels(path),
        loader: 'ts',
      }))
    },
  }
}

/** The text of a file of ours, with imports past the layers' `index.ts`. */
export function redirectBarrels(path) {
  const text = readFileSync(path, 'utf8')
  return text.includes("/index.ts'") ? redirectImports(path, text) : text
}

const isBarrel = (path) => /(^|\/)index\.ts$/.test(path)

function redirectImports(importer, text) {
  let result = text
  // From the end, so that places before it stay valid.
  for (const statement of parse(importer, text).statements.toReversed()) {
    if (!ts.isImportDeclaration(statement) || !isBarrel(statement.moduleSpecifier.text)) continue
    const barrel = resolve(dirname(importer), statement.moduleSpecifier.text)
    const imports = importedNames(importer, statement).map(({ name, alias }) => {
      const target = definitionOf(barrel, name)
      const path = relative(dirname(importer), target.file)
      return `import { ${target.name} as ${alias} } from '${path.startsWith('.') ? path : `./${path}`}'`
    })
    result = result.slice(0, statement.getStart()) + imports.join('; ') + result.slice(statement.end)
  }
  return result
}

function parse(path, text) {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true)
}

/** What a statement imports and is no type. */
function importedNames(importer, { importClause }) {
  if (importClause?.isTypeOnly) return []
  const bindings = importClause?.namedBindings
  if (importClause?.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) {
    throw new Error(`${importer}: import names from the index of a layer, not the whole of it`)
  }
  return namesOf(bindings)
}

function namesOf({ elements }) {
  return elements
    .filter(({ isTypeOnly }) => !isTypeOnly)
    .map(({ name, propertyName }) => ({ name: (propertyName ?? name).text, alias: name.text }))
}

const known = new Map()

/** The file that defines what a barrel offers under a name; the barrel itself where it does. */
function definitionOf(barrel, name) {
  if (!known.has(barrel)) known.set(barrel, reExportsOf(barrel))
  const found = known.get(barrel).get(name)
  if (found === undefined) return { file: barrel, name }
  return isBarrel(found.file) ? definitionOf(found.file, found.name) : found
}

function reExportsOf(barrel) {
  const found = new Map()
  for (const statement of parse(barrel, readFileSync(barrel, 'utf8')).statements) {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined || statement.isTypeOnly) continue
    if (statement.exportClause === undefined || !ts.isNamedExports(statement.exportClause))
      throw new Error(`${barrel}: name each export`)
    const file = resolve(dirname(barrel), statement.moduleSpecifier.text)
    for (const { name, alias } of namesOf(statement.exportClause)) found.set(alias, { file, name })
  }
  return found
}
