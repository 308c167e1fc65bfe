import type { SignatureVerdict } from '../../model/index.ts'
import { findCardProblems } from '../../tracker/identity/card-problems.ts'
import { openKeyRing } from '../../tracker/identity/key-ring.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

/** Errors listed without `--verbose`. */
const errorsListedMax = 10

const errorTexts: Partial<Record<SignatureVerdict, string>> = {
  invalid: 'the signature does not verify',
  'unknown-key': 'no public key of this actor is known in this clone',
  missing: 'the event is not signed, although this actor signs its events',
}

export const dbVerify = defineCommand({
  name: 'db verify',
  summary: 'Verify the signatures of events',
  description:
    'Uses the keys of the actors of this clone and the keys published in the log. Unsigned events of actors without a key ' +
    'are counted, but are not errors. Exits 1 if a signature is invalid or missing. Also lists cards in the log that are ' +
    'invalid for their actor.',
  examples: [{ command: 'grite db verify --verbose', explains: 'list every error' }],
  effect: 'reads',
  arguments: {},
  options: { verbose: { type: 'boolean', summary: 'List all errors instead of the first ten' } },
  async run(context, { verbose }) {
    const repository = await context.repository()
    const view = await repository.view()
    const keys = await openKeyRing(repository, view)
    const errors: { event_id: string; actor_id: string; verdict: SignatureVerdict; error: string }[] = []
    const counts: Record<SignatureVerdict, number> = { valid: 0, invalid: 0, unsigned: 0, missing: 0, 'unknown-key': 0 }
    for await (const event of view.allEvents()) {
      const verdict = await keys.judge(event)
      counts[verdict] += 1
      const error = errorTexts[verdict]
      if (error !== undefined) errors.push({ event_id: event.eventId, actor_id: event.actor, verdict, error })
    }
    const cardProblems = await findCardProblems(repository, view)
    const signed = counts.valid + counts.invalid + counts['unknown-key']
    return {
      data: {
        events_checked: signed + counts.unsigned + counts.missing,
        signatures_checked: signed,
        signatures_valid: counts.valid,
        unsigned_count: counts.unsigned,
        missing_count: counts.missing,
        error_count: errors.length,
        errors: verbose ? errors : errors.slice(0, errorsListedMax),
        card_problem_count: cardProblems.length,
        card_problems: verbose ? cardProblems : cardProblems.slice(0, errorsListedMax),
      },
      exitStatus: counts.invalid + counts.missing > 0 ? 1 : 0,
    }
  },
})

export type DbVerifyInput = GivenInput<typeof dbVerify>
export type DbVerifyData = DataOf<typeof dbVerify>
