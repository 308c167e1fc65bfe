// Runs everyday lines in a new repository, each command in a process of its own.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  firstLines,
  firstListModules,
  idleSyncLines,
  largeLogModules,
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
 * view; those of a sync until its git runs, those of one that finds nothing new besides, and those of any other sync besides;
 * those of a rebuild until its git runs, and the rest of them.
 *
 * @returns {Record<'hot' | 'warm' | 'sync' | 'settle' | 'exchange' | 'rebuild' | 'refill', Set<string>>}
 */
export function findEverydayModules(dist) {
  return inRepository(dist, (run, first, { connect }) => {
    const writing = Object.values(writingLines).map((lines) => run(lines).modules())
    const reading = Object.values(readingLines)
    // The first run has to bring the view up to date.
    const behind = reading.map((lines) => {
      run(createLines)
      return run(lines).modules()
    })
    const upToDate = reading.map((lines) => run(lines).modules())
    const hot = new Set([...upToDate.flat(), ...run(createLines).modules(), ...firstListModules])
    const warm = new Set([first.modules(), ...behind, ...writing].flat().filter((id) => !hot.has(id)))
    const rebuilding = run(rebuildLines)
    const rebuild = new Set(rebuilding.modulesBeforeGit())
    const refill = new Set([...rebuilding.modules(), ...largeLogModules].filter((id) => !rebuild.has(id)))
    connect()
    const syncing = [...run(syncLines).modules(), ...largeLogModules]
    const idle = run(idleSyncLines)
    const sync = new Set(idle.modulesBeforeGit())
    const settle = new Set(idle.modules().filter((id) => !sync.has(id)))
    const exchange = new Set(syncing.filter((id) => !sync.has(id) && !settle.has(id)))
    return { hot, warm, sync, settle, exchange, rebuild, refill }
  })
}

/**
 * V8's compiled code of each everyday command and of some others, by the name under which the loader looks for it.
 */
export function compileEveryday(dist) {
  return inRepository(dist, (run, first, { runClient, connect }) => {
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
    keep('rebuild', run(rebuildLines), ['rebuild', 'refill'])
    connect()
    keep('sync', run(syncLines), ['sync', 'settle', 'exchange'])
    code.set('client-other', runClient())
    return code
  })
}

function inRepository(dist, work) {
  const place = mkdtempSync(join(tmpdir(), 'grite-everyday-'))
  const [directory, peer, remote] = [join(place, 'work'), join(place, 'peer'), join(place, 'remote')]
  const env = {
    PATH: process.env.PATH,
    HOME: place,
    GIT_CONFIG_NOSYSTEM: '1',
    GRITE_NO_DAEMON: '1',
    // Code that one run has compiled must not get into that of the next.
    NODE_DISABLE_COMPILE_CACHE: '1',
    GRITE_NO_MAINTENANCE: '1',
  }
  const options = { cwd: directory, env, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' }
  let count = 0
  const run = (lines) => {
    const output = join(place, `output-${count++}`)
    const stdout = execFileSync(process.execPath, [runner, dist, output, JSON.stringify(lines)], options)
    return {
      stdout,
      modules: () => JSON.parse(readFileSync(`${output}.json`, 'utf8')).all,
      modulesBeforeGit: () => JSON.parse(readFileSync(`${output}.json`, 'utf8')).beforeGit,
      codeOf: (script) => (existsSync(`${output}.${script}`) ? readFileSync(`${output}.${script}`) : undefined),
    }
  }
  const runClient = () => {
    const output = join(place, 'client')
    execFileSync(process.execPath, [clientRunner, dist, output], options)
    return readFileSync(output)
  }
  /** Gives the repository a remote, and the remote a second clone. */
  const connect = () => {
    execFileSync('git', ['init', '-q', '--bare', remote], { env })
    for (const path of [directory, peer]) {
      execFileSync('git', ['init', '-q', path], { env })
      execFileSync('git', ['-C', path, 'config', 'user.name', 'Ann'], options)
      execFileSync('git', ['-C', path, 'remote', 'add', 'origin', remote], options)
      execFileSync(process.execPath, [`${dist}/grite.cjs`, 'sync', '--quiet'], { ...options, cwd: path })
    }
  }
  try {
    mkdirSync(directory)
    execFileSync('git', ['init', '-q', directory], { env })
    // As most users have one. The first write then tells the name of its actor.
    execFileSync('git', ['config', 'user.name', 'Ann'], options)
    const first = run(firstLines)
    const id = JSON.parse(first.stdout).data.issue_id
    // Lists are as long as those of a repository in use: a short one runs other code.
    const batch = { ...options, input: manyOperations.map((line) => JSON.stringify(line)).join('\n') }
    execFileSync(process.execPath, [`${dist}/grite.cjs`, 'batch'], { ...batch, stdio: ['pipe', 'ignore', 'inherit'] })
    return work((lines) => run(lines.map((words) => words.map((word) => (word === 'ID' ? id : word)))), first, {
      runClient,
      connect,
    })
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
