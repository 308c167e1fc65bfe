/** Renders one object with properties as `Name: value` lines. */
import { wrapWords } from './display-width.ts'
import { escapeLine } from './escape-for-terminal.ts'
import type { RenderView } from './renderer.ts'

export type Fact = readonly [name: string, value: string | number | boolean | null | undefined]

/** Omits facts without a value. On a terminal, long values continue below their start. */
export function renderFacts(
  facts: readonly Fact[],
  { style, width: columns = null }: Pick<RenderView, 'style'> & Partial<Pick<RenderView, 'width'>>,
): string {
  const shown = facts.filter(([, value]) => value !== undefined && value !== null && value !== '')
  const width = Math.max(0, ...shown.map(([name]) => name.length)) + 1
  return shown
    .map(([name, value]) => {
      const text = typeof value === 'boolean' ? (value ? 'yes' : 'no') : escapeLine(`${value}`)
      return `${style.dim(`${name}:`.padEnd(width))} ${wrapValue(text, columns, width + 1)}\n`
    })
    .join('')
}

/** Other than ASCII text is left to the terminal: measuring it would load the Unicode tables. */
function wrapValue(text: string, columns: number | null, depth: number): string {
  if (columns === null || columns < 2 * depth || !/^[\x20-\x7e]*$/.test(text)) return text
  return wrapWords(text, columns - depth, ({ length }) => length).join(`\n${' '.repeat(depth)}`)
}

/** `1.4 MiB` */
export function formatBytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let index = 0
  let amount = count
  while (amount >= 1024 && index < units.length - 1) {
    amount /= 1024
    index++
  }
  return index === 0 ? `${count} B` : `${amount.toFixed(1)} ${units[index]}`
}

/** `20,559` */
export function formatNumber(count: number): string {
  return `${count}`.replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 event`, `2,657 events` */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}
