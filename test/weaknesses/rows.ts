/** Rows of tables of weaknesses, each with the tests that show its absence. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { projectDir, read } from '../tidy/source-files.ts'

export interface Row {
  /** Section and item of the list of weaknesses. */
  readonly item: string
  /** Behaviour of the other tool. */
  readonly weakness: string
  readonly tests: readonly Cover[]
}

export interface Cover {
  readonly file: string
  /** Exact title; `<name>` stands for an expression in it. */
  readonly title: string
  /** Name of the row in a table of cases. */
  readonly row?: string
}

function exists({ file, title, row }: Cover): boolean {
  if (!existsSync(join(projectDir, file))) return false
  const pattern = title.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll(/<\w+>/g, '\\$\\{[^}]+\\}')
  const text = read(file)
  const hasTitle = new RegExp(`\\b(?:test|it)\\(\\s*(['"\`])${pattern}\\1`).test(text)
  return hasTitle && (row === undefined || text.includes(`'${row}'`))
}

/** Why a row proves nothing. */
export function faultsOfRow({ item, tests }: Row): readonly string[] {
  if (tests.length === 0) return [`${item}: no test`]
  return tests.filter((cover) => !exists(cover)).map((cover) => `${item}: ${Object.values(cover).join(': ')}`)
}
