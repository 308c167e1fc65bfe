import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bench, grite, inRepository, mib, ms, ratio, verdict } from './bench.ts'
import { timeCtags, whyNoCtags } from './ctags.ts'
import { benchEnv } from './measure.ts'
import { timeProcesses } from './time-processes.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const extraMs = 20_000
const fileBytesMax = 128 * 1024

/** Packages and sources of this project as far as they go, the rest of the files made up in other languages. */
export const contextRepositoryBench: Bench = {
  name: 'context-repository',
  question: `a repository of 10,000 files: \`context index\` in at most the time of universal-ctags plus ${extraMs / 1000} s`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const fileCount = small ? 40 : 10_000
      const { real, bytes } = writeFiles(cwd, fileCount, fileCount / 2)
      execFileSync('git', ['add', '-A', '-f'], { cwd, env: benchEnv as NodeJS.ProcessEnv })
      const first = timeProcesses({ index: grite('context', 'index', '--json') }, { runs: 1, cwd }).index
      const again = timeProcesses({ index: grite('context', 'index', '--json') }, { runs: small ? 1 : 3, cwd }).index
      const { indexed, left_out: leftOut } = JSON.parse(first.stdout).data
      const tags = timeCtags(cwd, small ? 1 : 3)
      const reasons = Object.entries(leftOut).map(([reason, count]) => `${count} ${reason}`)
      return [
        `${fileCount} files, ${real} of them real, ${mib(bytes)}; ${indexed} indexed${reasons.length > 0 ? `, left out: ${reasons.join(', ')}` : ''}`,
        tags === undefined
          ? `grite ${ms(first.median)}, ${whyNoCtags}`
          : `grite ${ms(first.median)}, ctags ${ms(tags.medianMs)} with ${tags.count} tags (${ratio(first.median, tags.medianMs)}): ${verdict(first.median <= tags.medianMs + extraMs)}`,
        `again with nothing changed: ${ms(again.median)}`,
      ]
    }),
}

function writeFiles(cwd: string, fileCount: number, realMax: number) {
  let [real, bytes] = [0, 0]
  const write = (path: string, text: Uint8Array | string) => {
    mkdirSync(dirname(join(cwd, path)), { recursive: true })
    writeFileSync(join(cwd, path), text)
    bytes += text.length
  }
  for (const path of realSources()) {
    if (real >= realMax) break
    const facts = statSync(join(root, path))
    if (!facts.isFile() || facts.size > fileBytesMax) continue
    const content = readFileSync(join(root, path))
    write(`real/${path}`, content)
    real++
  }
  for (let number = real; number < fileCount; number++) {
    const [ending, format] = languages[number % languages.length] as (typeof languages)[number]
    write(`made/folder-${number % 97}/file_${number}.${ending}`, format(number))
  }
  return { real, bytes }
}

/** Sources of this project and of its packages, in a fixed order. */
function* realSources(): Generator<string> {
  for (const folder of ['src', 'test', 'bench', 'scripts', 'node_modules']) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    for (const name of names.sort()) {
      if (!/(^|\/)\.cache\//.test(name) && /\.(ts|mts|cts|tsx|js|mjs|cjs|c|h)$/.test(name)) yield join(folder, name)
    }
  }
}

const definitionsPerFile = 30
const definitions = (number: number, format: (name: string, index: number) => string): string =>
  Array.from({ length: definitionsPerFile }, (_, index) => format(`n${number}_${index}`, index)).join('\n')

/** Files as people write them in length and nesting, of languages that the real ones are not of. */
const languages: readonly (readonly [ending: string, format: (number: number) => string])[] = [
  [
    'py',
    (number) =>
      definitions(
        number,
        (name) =>
          `class C${name}:\n    """A class."""\n\n    def run_${name}(self, items):\n        for item in items:\n            if item.size > 3:\n                self.total += item.size\n        return self.total\n`,
      ),
  ],
  [
    'go',
    (number) =>
      `package made\n\n${definitions(number, (name) => `// T${name} is a type.\ntype T${name} struct {\n\tName string\n\tSize int\n}\n\nfunc (t *T${name}) Run(items []int) int {\n\tfor _, item := range items {\n\t\tif item > t.Size {\n\t\t\tt.Size = item\n\t\t}\n\t}\n\treturn t.Size\n}\n`)}`,
  ],
  [
    'rs',
    (number) =>
      definitions(
        number,
        (name) =>
          `/// A type.\npub struct S${name} {\n    pub size: usize,\n}\n\nimpl S${name} {\n    pub fn run(&mut self, items: &[usize]) -> usize {\n        for item in items {\n            if *item > self.size {\n                self.size = *item;\n            }\n        }\n        self.size\n    }\n}\n`,
      ),
  ],
  [
    'java',
    (number) =>
      `package made;\n\npublic class File${number} {\n${definitions(number, (name) => `    public int run${name}(int[] items) {\n        int size = 0;\n        for (int item : items) {\n            if (item > size) {\n                size = item;\n            }\n        }\n        return size;\n    }\n`)}\n}\n`,
  ],
  [
    'rb',
    (number) =>
      definitions(
        number,
        (name) =>
          `class C${name}\n  def run(items)\n    items.each do |item|\n      @size = item if item > @size\n    end\n    @size\n  end\nend\n`,
      ),
  ],
]
