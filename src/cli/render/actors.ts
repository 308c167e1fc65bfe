import type {
  ActorCurrentData,
  ActorInitData,
  ActorListData,
  ActorShowData,
  ActorUseData,
} from '../../commands/actor/actor.ts'
import type { ActorRotateKeyData } from '../../commands/actor/rotate-key.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { renderFacts } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import { formatMinute } from './relative-time.ts'
import type { Renderer } from './renderer.ts'
import { renderTable } from './table.ts'

/** Characters of a key that are enough to compare it over the phone. */
const fingerprintLength = 16

export const renderActorInit: Renderer<ActorInitData> = ({ actor_id, label }, { quiet, style }) => {
  if (quiet) return ''
  const name = label ? ` ${escapeLine(label)}` : ''
  return `${style.good('Created')} actor ${style.accent(actor_id)}${name}\n`
}

export const renderActorList: Renderer<ActorListData> = async ({ actors }, view) => {
  if (actors.length === 0)
    return view.quiet || view.width === null ? '' : 'No actors yet. Run `grite actor init` to create one.\n'
  return renderTable(
    actors,
    [
      { heading: 'Actor', text: ({ actor_id }) => actor_id, paint: view.style.accent, shrink: 1, widthMin: 9 },
      { heading: 'Label', text: ({ label }) => label ?? '', shrink: 2 },
      { heading: 'Directory', text: ({ data_dir }) => data_dir ?? 'in the log', shrink: 3, paint: view.style.dim },
      { heading: 'Key', text: ({ public_key }) => public_key?.slice(0, fingerprintLength) ?? '', drop: 1 },
    ],
    view,
  )
}

export const renderActorShow: Renderer<ActorShowData> = ({ actor }, view) =>
  renderFacts(
    [
      ['Actor', actor.actor_id],
      ['Label', actor.label],
      ['Created', actor.created_ts === undefined || actor.created_ts === null ? null : formatMinute(actor.created_ts)],
      ['Public key', actor.public_key],
      ['Key scheme', actor.key_scheme],
      ['Previous keys', actor.previous_keys?.join(', ')],
      ['Known', actor.local === false ? 'by its card in the log' : null],
    ],
    view,
  )

const sources: Readonly<Record<string, string>> = {
  env: 'the environment',
  flag: 'an option',
  repo_default: "the repository's default",
  auto: 'created for this repository',
}

export const renderActorCurrent: Renderer<ActorCurrentData> = ({ actor_id, label, data_dir, source }, view) =>
  renderFacts(
    [
      ['Actor', actor_id],
      ['Label', label],
      ['Directory', data_dir],
      ['Chosen by', sources[source] ?? source],
    ],
    view,
  )

export const renderActorUse: Renderer<ActorUseData> = ({ default_actor }, { quiet, style }) =>
  quiet ? '' : `Default actor is now ${style.accent(shorten(default_actor))}\n`

export const renderActorRotateKey: Renderer<ActorRotateKeyData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const name = data.label ? ` ${escapeLine(data.label)}` : ''
  const actor = `${style.accent(shorten(data.actor_id))}${name}`
  const key = data.public_key.slice(0, fingerprintLength)
  if (data.event_id === null)
    return `${style.good('Completed')} an interrupted rotation: ${actor} now signs with key ${key}\n`
  if (data.previous_key === null) return `${style.good('Created')} the first key of ${actor}: ${key}\n`
  return `${style.good('Rotated')} the key of ${actor}: ${data.previous_key.slice(0, fingerprintLength)} -> ${key}\n`
}
