/** Where compiled grammars are, and the parser that runs them. The build copies those of `grammars` and has other paths. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

export const grammarFile = (name: string): string => require.resolve(`tree-sitter-wasms/out/tree-sitter-${name}.wasm`)

export const parserFile = (): string => join(dirname(require.resolve('web-tree-sitter')), 'tree-sitter.wasm')
