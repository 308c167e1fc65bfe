/** Reads the repository as text, for tests about the repository itself. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Top of the repository. */
export const projectDir = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

const notOurs = new Set(['.git', 'node_modules', 'dist', 'coverage'])

/** Files below a folder, as paths from the top of the repository with `/`, in order. */
export function listFiles(folder = ''): string[] {
  return readdirSync(join(projectDir, folder), { withFileTypes: true })
    .flatMap((entry) => {
      if (notOurs.has(entry.name)) return []
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      return entry.isDirectory() ? listFiles(path) : entry.isFile() ? [path] : []
    })
    .sort()
}

export function listSource(folder: string): string[] {
  return listFiles(folder).filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
}

export function read(path: string): string {
  return readFileSync(join(projectDir, path), 'utf8')
}

/** Source without comments, so that code rules ignore prose. Keeps line numbers. */
export function readCode(path: string): string {
  const blank = (text: string) => text.replaceAll(/[^\n]/g, ' ')
  return read(path)
    .replaceAll(/\/\*[\s\S]*?\*\//g, blank)
    .replaceAll(/(?<=^|[\s;{}()])\/\/.*$/gm, blank)
}

/** Paths of the repository's files that a file imports. */
export function importsOf(path: string): string[] {
  return specifiersOf(path)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => normalize(join(dirname(path), specifier)))
}

/** Module specifiers after `from` and `import`. */
export function specifiersOf(path: string): string[] {
  const pattern = /\bfrom\s+'([^']+)'|\bimport\(\s*'([^']+)'|^import\s+'([^']+)'/gm
  return [...readCode(path).matchAll(pattern)].map(([, from, call, bare]) => from ?? call ?? bare ?? '')
}

/** `path:line` of every match in a text. */
export function findLines(path: string, text: string, pattern: RegExp): string[] {
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []))
}
