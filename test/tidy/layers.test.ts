import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  findLines,
  importsOf,
  listFiles,
  listSource,
  projectDir,
  read,
  readCode,
  specifiersOf,
} from './source-files.ts'

/** Layers that each layer may import, and what belongs there. */
const layers = {
  model: { below: [], holds: 'rules that can be stated without a repository: ids, bytes, projection, errors' },
  git: { below: ['model'], holds: 'what talks to a git repository and knows nothing of events' },
  wal: { below: ['model', 'git'], holds: 'what appends to streams and reads them, and their bytes as commits' },
  ipc: { below: ['model'], holds: 'the protocol between processes and the daemon, for both sides' },
  view: { below: ['model', 'git', 'wal'], holds: 'what the database holds and how it follows the log' },
  import: { below: ['model'], holds: 'what foreign files say, as events and plans, without I/O' },
  tracker: {
    below: ['model', 'git', 'wal', 'view', 'import', 'ipc'],
    holds: 'the rules of the issue tracker that need I/O',
  },
  commands: {
    below: ['model', 'git', 'wal', 'view', 'import', 'ipc', 'tracker'],
    holds: 'one operation each: typed input in, data out',
  },
  library: {
    below: ['model', 'git', 'wal', 'view', 'ipc', 'tracker', 'commands'],
    holds: 'what programs import: the commands as functions',
  },
  daemon: {
    below: ['model', 'git', 'wal', 'view', 'ipc', 'tracker', 'commands', 'library'],
    holds: 'what serves the commands to other processes',
  },
  mcp: {
    below: ['model', 'git', 'wal', 'view', 'ipc', 'tracker', 'commands', 'library'],
    holds: 'what serves the commands to agents over MCP',
  },
  cli: {
    below: ['model', 'git', 'wal', 'view', 'ipc', 'tracker', 'commands', 'daemon', 'mcp'],
    holds: 'arguments, rendering and exit status',
  },
} as const satisfies Record<string, { below: readonly string[]; holds: string }>
type Layer = keyof typeof layers
const layerNames = Object.keys(layers) as Layer[]

function layerOf(path: string): string {
  return path.split('/')[1] ?? ''
}

function allow(layer: Layer): readonly string[] {
  return layers[layer].below
}

test('every folder of src is a known layer', () => {
  const folders = new Set(listFiles('src').map(layerOf))
  assert.deepEqual([...folders].sort(), [...layerNames].sort())
})

for (const layer of layerNames) {
  test(`${layer} imports only lower layers`, () => {
    const wrong = listSource(`src/${layer}`).flatMap((path) =>
      importsOf(path)
        .filter((target) => target.startsWith('src/'))
        .map((target) => ({ target, to: layerOf(target) as Layer }))
        .filter(({ to }) => to !== layer && !allow(layer).includes(to))
        .map(({ target, to }) => {
          // A layer that can hold both: below this one and above the other, or above both.
          const home =
            layerNames.find((name) => allow(layer).includes(name) && allow(name).includes(to)) ??
            layerNames.find((name) => allow(name).includes(layer) && allow(name).includes(to))
          const advice = home === undefined ? 'Pass in what it needs as an argument.' : `What needs both: src/${home}.`
          return `${path} imports ${target}. src/${layer} holds ${layers[layer].holds}. ${advice}`
        }),
    )
    assert.deepEqual(wrong, [])
  })
}

// The errors have their own entry, because the start of a command cannot wait for the rest of the model. The command
// line loads commands one by one for the same reason, and a command loads only the tracker rules that it applies.
// Record streams have entries of their own for the same reason.
const entries =
  /^src\/(\w+\/index|model\/errors\/index|model\/streams\/workloads\/index|(model|wal)\/streams\/index|tracker\/[\w/-]+)\.ts$/

test('a layer is imported through its index', () => {
  const wrong = layerNames
    .filter((layer) => layer !== 'cli' && layer !== 'library' && layer !== 'daemon' && layer !== 'mcp')
    .flatMap((layer) => listSource(`src/${layer}`))
    .flatMap((path) =>
      importsOf(path)
        .filter((target) => target.startsWith('src/') && layerOf(target) !== layerOf(path) && !entries.test(target))
        .map((target) => `${path} imports ${target}: let src/${layerOf(target)}/index.ts export the name`),
    )
  assert.deepEqual(wrong, [])
})

test('an index exports names one by one', () => {
  const wrong = layerNames.flatMap((layer) => {
    const index = `src/${layer}/index.ts`
    return existsSync(join(projectDir, index)) ? findLines(index, readCode(index), /export\s+(type\s+)?\*/) : []
  })
  assert.deepEqual(wrong, [])
})

// Names that higher layers may use. A change is a decision: run this file with UPDATE_PINS=1 and read the difference.
const pinFile = 'test/tidy/layer-exports.json'

test('the exported names of each layer match the pinned list', () => {
  const offered = Object.fromEntries(
    layerNames
      .map((layer) => [layer, `src/${layer}/index.ts`] as const)
      .filter(([, index]) => existsSync(join(projectDir, index)))
      .map(([layer, index]) => [layer, exportedNames(index)]),
  )
  if (process.env.UPDATE_PINS === '1') {
    writeFileSync(join(projectDir, pinFile), `${JSON.stringify(offered, null, 2)}\n`)
  }
  assert.deepEqual(offered, JSON.parse(read(pinFile)), `see ${pinFile}`)
})

function exportedNames(path: string): string[] {
  const code = readCode(path)
  const lists = [...code.matchAll(/export\s+(?:type\s+)?\{([^}]*)\}/g)].flatMap(([, names = '']) => names.split(','))
  const own = [...code.matchAll(/export\s+(?:const|function|class|interface|type)\s+(\w+)/g)].map(
    ([, name = '']) => name,
  )
  return [...lists, ...own]
    .map((name) => name.trim().replace(/^type\s+/, ''))
    .filter(Boolean)
    .sort()
}

test('the model uses no I/O, clock, randomness or Node', () => {
  // Hashes of record streams: SHA-256 in JavaScript would take longer than everything else together.
  const hashing = 'src/model/streams/merkle.ts'
  const impure: readonly (readonly [pattern: RegExp, what: string])[] = [
    [/\b(async|await)\b|\bPromise\b/, 'waits'],
    [/\bDate\.now\b|\bnew Date\(\)|\bperformance\b/, 'reads a clock'],
    [/\bMath\.random\b|\bgetRandomValues\b|\brandomUUID\b/, 'is random'],
    [/\bprocess\b|\bBuffer\b|\brequire\(|\b__dirname\b/, 'knows Node'],
    [/\bconsole\b/, 'prints'],
  ]
  const wrong = listSource('src/model').flatMap((path) => {
    const code = readCode(path).replaceAll(/'[^'\n]*'|`[^`]*`/g, "''")
    return [
      ...specifiersOf(path)
        .filter((specifier) => specifier.startsWith('node:'))
        .filter((specifier) => path !== hashing || specifier !== 'node:crypto')
        .map((specifier) => `${path} imports ${specifier}`),
      ...impure.flatMap(([pattern, what]) => findLines(path, code, pattern).map((line) => `${line} (${what})`)),
    ]
  })
  assert.deepEqual(wrong, [], 'let the caller do it and pass in the result')
})

test('only the command line uses the process', () => {
  const wrong = ['git', 'wal', 'view', 'import', 'tracker', 'commands'].flatMap((layer) =>
    listSource(`src/${layer}`).flatMap((path) => {
      const code = readCode(path).replaceAll(/'[^'\n]*'|`[^`]*`/g, "''")
      return findLines(path, code, /\bprocess\.(env|argv|exit|stdin|stdout|stderr|cwd|on)\b|\bconsole\./)
    }),
  )
  assert.deepEqual(wrong, [], 'take it from the context that cli builds')
})

test('below the command line nothing keeps process-wide state', () => {
  const rules: readonly (readonly [pattern: RegExp, what: string])[] = [
    [/^(let|var) /, 'keeps state for the whole process'],
    [/\bgetTimezoneOffset\b|\btoLocale\w+\(|\bIntl\./, 'depends on the zone or language of the process'],
    [/\bsetFlagsFromString\b|\bprocess\.(chdir|umask|setUncaught\w*)\b/, 'changes the process'],
    [/\.\$\{process\.pid\}/, 'names a file by a process alone, which runs many requests'],
  ]
  const allowed = [
    // Created once, and the same for every request.
    'src/model/cbor.ts',
    'src/model/hash.ts',
    // The program of a thread: sets how the process compiles WebAssembly, which nothing else in it needs fast.
    'src/tracker/context/parse-worker.ts',
  ]
  const wrong = layerNames
    .filter((layer) => layer !== 'cli')
    .flatMap((layer) => listSource(`src/${layer}`))
    .filter((path) => !allowed.includes(path))
    .flatMap((path) => {
      const code = readCode(path)
      return rules.flatMap(([pattern, what]) => findLines(path, code, pattern).map((line) => `${line} (${what})`))
    })
  assert.deepEqual(wrong, [])
})

test('only ref-name modules contain ref names', () => {
  const home = new Set(['src/wal/ref-names.ts', 'src/git/ref-paths.ts', 'src/model/streams/stream-id.ts'])
  const wrong = listSource('src')
    .filter((path) => !home.has(path))
    .flatMap((path) => findLines(path, readCode(path), /['"`][^'"`]*refs\/grite/))
  assert.deepEqual(wrong, [], 'build it in src/wal/ref-names.ts')
})

test('every exported value is imported somewhere', () => {
  const sources = [
    ...listSource('src'),
    ...listSource('bench'),
    ...listSource('test'),
    ...listFiles('scripts'),
    ...listFiles('bin'),
  ]
  const words = new Map(sources.map((path) => [path, new Set(read(path).match(/\w+/g))]))
  const values = /^export (?:abstract )?(?:async )?(?:const|let|function\*?|class) (\w+)/gm
  const unused = listSource('src').flatMap((path) =>
    [...readCode(path).matchAll(values)]
      .map(([, name = '']) => name)
      .filter((name) => !sources.some((other) => other !== path && words.get(other)?.has(name)))
      .map((name) => `${path} exports ${name}`),
  )
  assert.deepEqual(unused, [], 'nothing else uses these')
})

test('every source file is reachable from the program', () => {
  const scripts = listFiles('scripts').flatMap((path) =>
    [...read(path).matchAll(/src\/[\w/-]+\.ts/g)].map(([file]) => file),
  )
  const reached = new Set<string>()
  const walk = (path: string): void => {
    if (reached.has(path) || !existsSync(join(projectDir, path))) return
    reached.add(path)
    importsOf(path).forEach(walk)
  }
  for (const root of [...listFiles('bin'), ...scripts]) walk(root)
  assert.deepEqual(
    listSource('src').filter((path) => !reached.has(path)),
    [],
    'nothing uses these files',
  )
})

test('the engine refers to none of its tenants', () => {
  const engine = listSource('src/wal').filter((path) => path.split('/').length === 3 && path !== 'src/wal/index.ts')
  const wrong = engine.flatMap((path) => [
    ...importsOf(path)
      .filter((target) => target.split('/').length > 3 && target.startsWith('src/wal/'))
      .map((target) => `${path} imports ${target}`),
    ...(path === 'src/wal/ref-names.ts' ? [] : findLines(path, readCode(path), /\bwalRef\b/)),
  ])
  assert.deepEqual(wrong, [], 'take a stream (src/wal/stream.ts) as an argument')
})
