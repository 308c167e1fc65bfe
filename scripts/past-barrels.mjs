import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'

/**
 * Sends each import from the `index.ts` of a layer to the file that defines the name. A layer's index is what others may
 * use of it; at a start it would run every file of the layer, and most commands need few.
 */
export function pastBarrels() {
  return {
    name: 'past-barrels',
    setup(plugin) {
      plugin.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => ({
        contents: readFileSync(path, 'utf8').replace(imports, (whole, names, from) =>
          isBarrel(from) ? redirect(path, names, from) : whole,
        ),
        loader: 'ts',
      }))
    },
  }
}

// As Biome lays them out.
const imports = /^import \{([^}]*)\} from '([^']+)'$/gm
const reExports = /^export \{([^}]*)\} from '([^']+)'$/gm
const isBarrel = (path) => /(^|\/)index\.ts$/.test(path)

function redirect(importer, names, from) {
  const barrel = resolve(dirname(importer), from)
  return specifiersOf(names)
    .map(({ name, alias }) => {
      const target = definitionOf(barrel, name)
      const path = relative(dirname(importer), target.file)
      return `import { ${target.name} as ${alias} } from '${path.startsWith('.') ? path : `./${path}`}'`
    })
    .join('; ')
}

/** What is no type among `a, type B, c as d`. */
function specifiersOf(names) {
  return names
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '' && !each.startsWith('type '))
    .map((each) => {
      const [name, alias = name] = each.split(' as ')
      return { name, alias }
    })
}

const known = new Map()

/** The file that defines what a barrel offers under a name; the barrel itself where it does. */
function definitionOf(barrel, name) {
  if (!known.has(barrel)) {
    const found = new Map()
    for (const [, names, from] of readFileSync(barrel, 'utf8').matchAll(reExports)) {
      const file = resolve(dirname(barrel), from)
      for (const { name, alias } of specifiersOf(names)) found.set(alias, { file, name })
    }
    known.set(barrel, found)
  }
  const found = known.get(barrel).get(name)
  if (found === undefined) return { file: barrel, name }
  return isBarrel(found.file) ? definitionOf(found.file, found.name) : found
}
