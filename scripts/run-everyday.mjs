// Runs everyday lines in a new repository, each command in a process of its own.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { everydayLines, otherLines, syncLines } from './everyday.mjs'

const runner = resolve('scripts/run-lines.cjs')

/** Ids of the modules that everyday commands evaluate, sorted. */
export function findHotModules(dist) {
  return inRepository(dist, (run) => {
    const ids = Object.values(everydayLines).map((lines) => JSON.parse(readFileSync(run(lines), 'utf8')))
    return [...new Set(ids.flat())].sort()
  })
}

/**
 * V8's compiled code of each everyday command and of some others, by the name under which the loader looks for it. Bulk
 * commands are not among them: they change V8 flags, and V8 rejects code that was made under other flags.
 */
export function compileEveryday(dist) {
  return inRepository(dist, (run) => {
    const code = new Map()
    const compile = (command, lines, scripts) => {
      const output = run(lines, scripts.join(','))
      for (const script of scripts) code.set(`${script}-${command}`, readFileSync(`${output}.${script}`))
    }
    for (const [name, lines] of Object.entries(everydayLines)) compile(name.replace(' ', '-'), lines, ['hot'])
    compile('other', otherLines, ['hot', 'cold'])
    compile('sync', syncLines, ['hot', 'cold'])
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
  try {
    mkdirSync(directory)
    execFileSync('git', ['init', '-q', directory], { env })
    execFileSync('git', ['init', '-q', '--bare', remote], { env })
    execFileSync('git', ['remote', 'add', 'origin', remote], options)
    const first = execFileSync(
      process.execPath,
      [join(dist, 'grite.cjs'), 'issue', 'create', '--title', 'First', '--json'],
      options,
    )
    const id = JSON.parse(first).data.issue_id
    let count = 0
    return work((lines, code) => {
      const output = join(place, `output-${count++}`)
      const named = lines.map((words) => words.map((word) => (word === 'ID' ? id : word)))
      execFileSync(process.execPath, [runner, dist, output, JSON.stringify(named)], {
        ...options,
        env: code === undefined ? env : { ...env, GRITE_BUILD_CODE: code },
      })
      return output
    })
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
