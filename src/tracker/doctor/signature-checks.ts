import type { SignatureVerdict } from '../../model/index.ts'
import { findCardProblems } from '../identity/card-problems.ts'
import { openKeyRing } from '../identity/key-ring.ts'
import { type Check, count, idsListedMax, nameSome, notChecked, ok } from './check.ts'

const noLog = 'the log cannot be read'
const noSettings = 'the settings cannot be read'

export const signatures: Check = {
  id: 'signatures',
  async look(examination) {
    const log = await examination.log()
    if (log === null) return notChecked(noLog)
    const config = await examination.config()
    if (config === null) return notChecked(noSettings)
    const keys = await openKeyRing(examination.repository, log.view)
    const counts: Record<SignatureVerdict, number> = { valid: 0, invalid: 0, unsigned: 0, missing: 0, 'unknown-key': 0 }
    const bad: { event_id: string; actor: string; verdict: SignatureVerdict }[] = []
    for await (const event of log.view.allEvents()) {
      const verdict = await keys.judge(event)
      counts[verdict] += 1
      const isBad = verdict === 'invalid' || verdict === 'missing'
      if (isBad && bad.length < idsListedMax) bad.push({ event_id: event.eventId, actor: event.actor, verdict })
    }
    const badCount = counts.invalid + counts.missing
    const rest = `${counts.valid} verified, ${counts['unknown-key']} with an unknown key, ${counts.unsigned} unsigned`
    if (badCount === 0) return ok(rest)
    const ids = bad.map(({ event_id }) => event_id)
    return {
      // Under `reject`, such events must not be in the log.
      status: config.verifySignatures === 'reject' ? 'error' : 'warn',
      message: `${count(badCount, 'event has', 'events have')} an invalid or missing signature: ${nameSome(ids, badCount, 1)}; ${rest}`,
      plan: [
        '`grite db verify --verbose` lists them; the log is never rewritten, so they stay effective but are marked',
      ],
      details: { ...counts, events: bad },
    }
  },
}

export const actorCards: Check = {
  id: 'actor_cards',
  async look(examination) {
    const log = await examination.log()
    if (log === null) return notChecked(noLog)
    if ((await examination.config()) === null) return notChecked(noSettings)
    const problems = await findCardProblems(examination.repository, log.view)
    if (problems.length === 0) return ok('all actor cards are valid')
    const [first] = problems
    return {
      status: 'warn',
      message: `${count(problems.length, 'actor card is', 'actor cards are')} invalid: ${first?.reason} (actor ${first?.actor.slice(0, 8)})`,
      plan: [
        '`grite db verify --verbose` lists them; an invalid card does not change the keys that the log already has',
      ],
      details: { problem_count: problems.length, problems: problems.slice(0, idsListedMax) },
    }
  },
}
