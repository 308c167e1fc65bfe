import type { ConfigGetData, ConfigListData, ConfigSetData, ConfigUnsetData } from '../../commands/config/config.ts'
import { escapeLine } from './escape-for-terminal.ts'
import type { Renderer } from './renderer.ts'
import { renderTable } from './table.ts'

export const renderConfigList: Renderer<ConfigListData> = ({ settings }, view) =>
  renderTable(
    settings,
    [
      { heading: 'Setting', text: ({ key }) => key, paint: view.style.accent },
      { heading: 'Value', text: ({ value }) => textOf(value), shrink: 1, widthMin: 12 },
      { heading: 'From', text: ({ origin }) => origin, paint: view.style.dim },
    ],
    view,
  )

/** The value alone, for scripts; nothing when there is none. */
export const renderConfigGet: Renderer<ConfigGetData> = ({ value }) =>
  value === null ? '' : `${escapeLine(textOf(value))}\n`

export const renderConfigChange: Renderer<ConfigSetData | ConfigUnsetData> = (data, { quiet, style }) => {
  const { action, key, value, replaced, outcome } = data
  if (quiet) return ''
  const name = style.accent(escapeLine(key))
  if (outcome === 'unchanged') return `Nothing to change: ${name} is ${escapeLine(textOf(value) || 'not set')}\n`
  const before = replaced === null ? '' : style.dim(` (it was ${escapeLine(textOf(replaced))})`)
  if (action === 'set') return `${style.good('Set')} ${name} to ${escapeLine(textOf(value))}${before}\n`
  const now = value === null ? '' : `; the default is ${escapeLine(textOf(value))}`
  return `${style.good('Unset')} ${name}${before}${now}\n`
}

function textOf(value: ConfigGetData['value']): string {
  return value === null ? '' : `${value}`
}
