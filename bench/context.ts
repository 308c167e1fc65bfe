import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NameMatching, Sha256Hex } from '../src/model/index.ts'
import { findSymbols } from '../src/tracker/context/find-symbols.ts'
import { openWorkspace } from '../src/tracker/workspace.ts'
import { type Bench, bareNode, grite, inRepository, ms, openFacts, verdict } from './bench.ts'
import { timeCtags, whyNoCtags } from './ctags.ts'
import { benchEnv, summarize } from './measure.ts'
import { timeProcesses } from './time-processes.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

export const contextIndexBench: Bench = {
  name: 'context-index',
  question:
    'the sources of grite: `context index` at most 2 s after start for 700 files, again with nothing changed at most 0.3 s',
  run: ({ small }) =>
    inRepository(async (cwd) => {
      for (const folder of small ? ['native'] : ['src', 'test', 'bench', 'scripts', 'native']) {
        cpSync(join(root, folder), join(cwd, folder), { recursive: true })
      }
      const git = (...args: readonly string[]) => execFileSync('git', args, { cwd, env: benchEnv as NodeJS.ProcessEnv })
      git('add', '-A')
      const first: number[] = []
      for (let run = 0; run < (small ? 1 : 3); run++) {
        rmSync(join(cwd, '.git/grite'), { recursive: true, force: true })
        git('update-ref', '-d', 'refs/grite/wal')
        first.push(timeProcesses({ index: grite('context', 'index') }, { runs: 1, cwd }).index.median)
      }
      const { again, node } = timeProcesses(
        { again: grite('context', 'index', '--json'), node: bareNode },
        { runs: small ? 1 : 9, cwd },
      )
      const { total_files: files } = JSON.parse(again.stdout).data
      const allowed = (2000 * files) / 700
      const tags = timeCtags(cwd, small ? 1 : 3)
      const { median } = summarize(first)
      return [
        `${files} files: ${ms(median - node.median)} after start (2 s for 700: ${ms(allowed)}): ${verdict(median - node.median <= allowed)}`,
        `again with nothing changed: ${ms(again.median)} (target 300 ms): ${verdict(again.median <= 300)}`,
        `ctags of the same files: ${tags === undefined ? whyNoCtags : ms(tags.medianMs)}`,
      ]
    }),
}

const queryTargetMs = 20

export const contextQueryBench: Bench = {
  name: 'context-query',
  question: `a query over 200,000 symbols, in this process: at most ${queryTargetMs} ms`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const [files, perFile] = small ? [20, 10] : [4000, 50]
      const words = wordsOfSources(join(root, 'src/model'))
      const repository = await openWorkspace(openFacts(cwd))
      mkdirSync(join(cwd, 'src'))
      for (let done = 0; done < files; done += 1000) {
        await repository.write(async (draft) => {
          for (let file = done; file < Math.min(done + 1000, files); file++) {
            const symbols = Array.from({ length: perFile }, (_, index) => {
              const at = file * perFile + index
              const name = `${words[at % words.length]}${words[(at * 7) % words.length]}${at % 97}`
              return { name, kind: 'function', lineStart: index + 1, lineEnd: index + 2 }
            })
            await draft.setFileContext({
              ...{ type: 'ContextUpdated', path: `src/folder-${file % 50}/file-${file}.ts`, language: 'typescript' },
              ...{ symbols: symbols.sort((a, b) => (a.name < b.name ? -1 : 1)), summary: 'functions' },
              content_hash: file.toString(16).padStart(64, '0') as Sha256Hex,
            })
          }
        })
      }
      const [view, place] = [await repository.view(), await repository.viewPlace()]
      const find = async (text: string, matching: NameMatching) =>
        (await findSymbols(view, place, { text, matching, kind: undefined, limit: 50 })).found.length
      const started = performance.now()
      await find('first', 'substring')
      const lines = [`the first after a change, which reads all names: ${ms(performance.now() - started)}`]
      for (const matching of ['prefix', 'substring', 'fuzzy'] as const) {
        const times: number[] = []
        let count = 0
        for (let run = 0; run < (small ? 1 : 25); run++) {
          const start = process.hrtime.bigint()
          const text = (words[run * 3] as string).slice(0, 4)
          count += await find(text, matching)
          times.push(Number(process.hrtime.bigint() - start) / 1e6)
        }
        const { median, max } = summarize(times)
        lines.push(`${matching}: ${ms(median)} (max ${ms(max)}): ${verdict(median <= queryTargetMs)}; ${count} found`)
      }
      await repository.close()
      return lines
    }),
}

/** Some words as people name things. */
function wordsOfSources(folder: string): string[] {
  const text = readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
  return [...new Set(text.match(/\b[a-z][A-Za-z]{3,15}\b/g) ?? [])].sort()
}
