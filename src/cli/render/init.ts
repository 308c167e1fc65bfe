import type { InitData } from '../../commands/init.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import type { Renderer } from './renderer.ts'

export const renderInit: Renderer<InitData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const actor = style.accent(shorten(data.actor_id))
  const opening =
    data.action === 'created' ? `${style.good('Ready.')} You write as actor ${actor}` : `Already set up; actor ${actor}`
  const adopted =
    data.adopted?.events && data.adopted.events > 0
      ? `Fetched ${formatCount(data.adopted.events, 'event')} from ${escapeLine(data.adopted.remote)}.\n`
      : ''
  const leases =
    data.lease_remote === undefined
      ? ''
      : `Claims and locks are now visible to all clones of ${escapeLine(data.lease_remote)}.\n`
  const next = 'Next: grite issue create --title "…"'
  const ask = data.agents_md_action === 'disabled' ? '\nFor coding agents: grite init --agents-md' : ''
  return `${opening}\n${adopted}${leases}${describeAgentsMd(data)}${style.dim(`${next}${ask}`)}\n`
}

function describeAgentsMd({ agents_md_action: action, agents_md_path: path }: InitData): string {
  const file = escapeLine(path ?? 'AGENTS.md')
  switch (action) {
    case 'created':
      return `Wrote ${file}; review and commit it.\n`
    case 'updated':
      return `Updated the section about grite in ${file}.\n`
    case 'unchanged':
      return `The section about grite in ${file} is up to date.\n`
    case 'skipped':
      return `${file} already has a section about grite without our markers; not changed.\n`
    default:
      return ''
  }
}
