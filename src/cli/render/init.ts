import { escapeLine } from './escape-for-terminal.ts'
import { formatCount } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import type { Renderer } from './renderer.ts'

interface InitData {
  readonly actor_id: string
  readonly data_dir: string
  readonly action: string
  readonly adopted?: { readonly remote: string; readonly events: number } | null
  readonly agents_md_path?: string | null
  readonly agents_md_action?: string
}

export const renderInit: Renderer<InitData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const actor = style.accent(shorten(data.actor_id))
  const opening =
    data.action === 'created' ? `${style.good('Ready.')} You write as actor ${actor}` : `Already set up; actor ${actor}`
  const wroteAgents = data.agents_md_action === 'created' || data.agents_md_action === 'updated'
  const agents = wroteAgents ? `AGENTS.md ${data.agents_md_action}: ${escapeLine(data.agents_md_path ?? '')}\n` : ''
  const adopted =
    data.adopted?.events && data.adopted.events > 0
      ? `Took in ${formatCount(data.adopted.events, 'event')} from ${escapeLine(data.adopted.remote)}.\n`
      : ''
  return `${opening}\n${adopted}${agents}${style.dim('Next: grite issue create --title "…"')}\n`
}
