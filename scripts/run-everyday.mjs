// Runs everyday lines in a new repository, each command in a process of its own.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  firstLines,
  manyOperations,
  otherLines,
  readingLines,
  rebuildLines,
  syncLines,
  writingLines,
} from './everyday.mjs'

const runner = resolve('scripts/run-lines.cjs')
const clientRunner = resolve('scripts/run-client.cjs')
const createLines = writingLines['issue create']

/**
 * Ids of the modules that everyday commands evaluate: in any case, and besides in a new repository or when they open the
 * view.
 *
 * @returns {{ hot: Set<string>, warm: Set<string> }}
 */
export function findEverydayModules(dist) {
  return inRepository(dist, (run, first) => {
    const writing = Object.values(writingLines).map((lines) => run(lines).modules())
    const reading = Object.values(readingLines)
    // The first run has to bring the view up to date.
    const behind = reading.map((lines) => {
      run(createLines)
      return run(lines).modules()
    })
    const upToDate = reading.map((lines) => run(lines).modules())
    const hot = new Set([...upToDate.flat(), ...run(createLines).modules()])
    const warm = [first.modules(), ...behind, ...writing].flat().filter((id) => !hot.has(id))
    return { hot, warm: new Set(warm) }
  })
}

/**
 * V8's compiled code of each everyday command and of some others, by the name under which the loader looks for it.
 */
export function compileEveryday(dist) {
  return inRepository(dist, (run, first, runClient) => {
    const code = new Map()
    const keep = (command, { codeOf }, scripts) => {
      for (const script of scripts) {
        const bytes = codeOf(script)
        if (bytes !== undefined) code.set(`${script}-${command.replace(' ', '-')}`, bytes)
      }
    }
    keep('issue create', first, ['warm'])
    for (const [name, lines] of Object.entries(writingLines)) keep(name, run(lines), ['hot', 'warm'])
    for (const [name, lines] of Object.entries(readingLines)) {
      run(createLines)
      keep(name, run(lines), ['warm'])
      keep(name, run(lines), ['hot'])
    }
    keep('other', run(otherLines), ['hot', 'warm', 'cold'])
    keep('sync', run(syncLines), ['hot', 'warm', 'cold'])
    keep('rebuild', run(rebuildLines), ['hot', 'warm', 'cold'])
    code.set('client-other', runClient())
    return code
  })
}

function inRepository(dist, work) {
  const place = mkdtempSync(join(tmpdir(), 'grite-everyday-'))
  const [directory, remote] = [join(place, 'work'), join(place, 'remote')]
  const env = {
    PATH: process.env.PATH,
    HOME: place,
    GIT_CONFIG_NOSYSTEM: '1',
    GRITE_NO_DAEMON: '1',
    GRITE_NO_MAINTENANCE: '1',
  }
  const options = { cwd: directory, env, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' }
  let count = 0
  const run = (lines) => {
    const output = join(place, `output-${count++}`)
    const stdout = execFileSync(process.execPath, [runner, dist, output, JSON.stringify(lines)], options)
    return {
      stdout,
      modules: () => JSON.parse(readFileSync(`${output}.json`, 'utf8')),
      codeOf: (script) => (existsSync(`${output}.${script}`) ? readFileSync(`${output}.${script}`) : undefined),
    }
  }
  const runClient = () => {
    const output = join(place, 'client')
    execFileSync(process.execPath, [clientRunner, dist, output], options)
    return readFileSync(output)
  }
  try {
    mkdirSync(directory)
    execFileSync('git', ['init', '-q', directory], { env })
    // As most users have one. The first write then tells the name of its actor.
    execFileSync('git', ['config', 'user.name', 'Ann'], options)
    execFileSync('git', ['init', '-q', '--bare', remote], { env })
    execFileSync('git', ['remote', 'add', 'origin', remote], options)
    const first = run(firstLines)
    const id = JSON.parse(first.stdout).data.issue_id
    // Lists are as long as those of a repository in use: a short one runs other code.
    const batch = { ...options, input: manyOperations.map((line) => JSON.stringify(line)).join('\n') }
    execFileSync(process.execPath, [`${dist}/grite.cjs`, 'batch'], { ...batch, stdio: ['pipe', 'ignore', 'inherit'] })
    return work(
      (lines) => run(lines.map((words) => words.map((word) => (word === 'ID' ? id : word)))),
      first,
      runClient,
    )
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
