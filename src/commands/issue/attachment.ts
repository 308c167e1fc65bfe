import { createHash } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import type { Oid } from '../../git/index.ts'
import {
  ConflictError,
  InvalidArgsError,
  limits,
  makeVisible,
  NotFoundError,
  parseSha256,
  type Sha256Hex,
} from '../../model/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { addAttachment, type NewAttachment } from '../../tracker/issues/changes.ts'
import { type Attachment, resolveAttachment } from '../../tracker/issues/resolve-attachment.ts'
import { resolveIssue } from '../../tracker/issues/resolve-issue.ts'
import { findOutputPlace } from '../../tracker/local/output-place.ts'
import { readInputFile } from '../../tracker/local/read-input-file.ts'
import { writeOutputFile } from '../../tracker/local/write-file-atomically.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { headerOption } from '../header-option.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssue } from './change-command.ts'

const issue = { summary: 'Issue id, a unique prefix of it, or an imported id', completes: 'issue' } as const

export const issueAttachmentAdd = defineCommand({
  name: 'issue attachment add',
  summary: 'Attach a file, or record the hash of a file stored elsewhere',
  examples: [
    { command: 'grite issue attachment add 3f2a91c --file crash.log', explains: 'store the content in the log' },
    {
      command: 'grite issue attachment add 3f2a91c --name core.gz --mime application/gzip --sha256 <64 hex>',
      explains: 'record only name, type and hash',
    },
  ],
  served: true,
  effect: 'adds',
  arguments: { issue },
  options: {
    file: { type: 'text', valueName: 'file', summary: 'File to store', completes: 'file', short: 'f', cliOnly: true },
    name: { type: 'text', valueName: 'name', summary: 'Name to show; default: the name of the file' },
    sha256: { type: 'text', valueName: 'hex', summary: 'SHA-256 of a file that is not stored' },
    mime: { type: 'text', valueName: 'type', summary: 'Media type; default: guessed from the name' },
    ...lockOption,
  },
  async run(context, input) {
    const attachment = await readAttachment(context, input)
    const { name, sha256, mime, content } = attachment
    return changeIssue(
      context,
      input.issue,
      (draft, id) => addAttachment(draft, id, attachment),
      { action: 'attached', name, sha256, mime, stored: content !== null },
      input,
    )
  },
})

export type IssueAttachmentAddInput = GivenInput<typeof issueAttachmentAdd>
export type IssueAttachmentAddData = DataOf<typeof issueAttachmentAdd>

interface AttachmentInput {
  readonly file: string | undefined
  readonly name: string | undefined
  readonly sha256: string | undefined
  readonly mime: string | undefined
}

async function readAttachment(context: CommandContext, input: AttachmentInput): Promise<NewAttachment> {
  if (input.file === undefined) {
    const { name, sha256, mime } = input
    for (const [field, value] of Object.entries({ name, sha256, mime })) {
      if (value === undefined) {
        throw new InvalidArgsError(`--${field} is required unless --file is given`, { details: { field } })
      }
    }
    return { name: name as string, sha256: parseSha256(sha256 as string), mime: mime as string, content: null }
  }
  const content = await readInputFile(context, { field: 'file', file: input.file, bytesMax: limits.attachmentBytesMax })
  const sha256 = createHash('sha256').update(content).digest('hex') as Sha256Hex
  if (input.sha256 !== undefined && parseSha256(input.sha256) !== sha256) {
    throw new InvalidArgsError(`--sha256 does not match ${input.file}: its SHA-256 is ${sha256}`, {
      details: { field: 'sha256', value: input.sha256, found: sha256 },
    })
  }
  const name = input.name ?? basename(input.file)
  return { name, sha256, mime: input.mime ?? guessMime(name), content }
}

const mimeByExtension: Readonly<Record<string, string>> = {
  '.txt': 'text/plain',
  '.log': 'text/plain',
  '.md': 'text/markdown',
  '.json': 'application/json',
  '.html': 'text/html',
  '.csv': 'text/csv',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.svg': 'image/svg+xml',
  '.pdf': 'application/pdf',
  '.zip': 'application/zip',
  '.gz': 'application/gzip',
}

function guessMime(name: string): string {
  return mimeByExtension[extname(name).toLowerCase()] ?? 'application/octet-stream'
}

export const issueAttachmentList = defineCommand({
  name: 'issue attachment list',
  summary: 'List the attachments of an issue',
  examples: [{ command: 'grite issue attachment list 3f2a91c', explains: 'names, types and hashes' }],
  served: true,
  effect: 'reads',
  arguments: { issue },
  options: headerOption,
  async run(context, input) {
    const view = await (await context.repository()).view()
    const issueId = await resolveIssue(view, input.issue)
    const events = await view.eventsOf(issueId)
    const attachments = []
    for (const { body, eventId } of events) {
      if (body.type !== 'AttachmentAdded') continue
      const stored = (await view.findAttachmentBlob(body.sha256)) !== undefined
      attachments.push({ event_id: eventId, name: body.name, sha256: body.sha256, mime: body.mime, stored })
    }
    return { data: { issue_id: issueId, attachments, total: attachments.length } }
  },
})

export type IssueAttachmentListInput = GivenInput<typeof issueAttachmentList>
export type IssueAttachmentListData = DataOf<typeof issueAttachmentList>

export const issueAttachmentGet = defineCommand({
  name: 'issue attachment get',
  summary: 'Write the content of an attachment to a file',
  examples: [
    { command: 'grite issue attachment get 3f2a91c crash.log', explains: 'write a file of the same name' },
    { command: 'grite issue attachment get 3f2a91c crash.log --output /tmp/c.log', explains: 'write another file' },
  ],
  description:
    'Select the attachment by its name, its SHA-256, or a prefix of that with at least four characters. The selection must ' +
    'match exactly one content. Without --output the file gets the name of the attachment, unless that name is hidden or ' +
    'a path.',
  effect: 'destroys',
  cliOnly: true,
  arguments: { issue, attachment: { summary: 'Name, or SHA-256 or a prefix of it' } },
  options: {
    output: {
      type: 'text',
      valueName: 'file',
      summary: 'File to write; it must not exist',
      short: 'o',
      completes: 'file',
    },
    force: { type: 'boolean', summary: 'Overwrite an existing file' },
  },
  async run(context, input) {
    const repository = await context.repository()
    const view = await repository.view()
    const issueId = await resolveIssue(view, input.issue)
    const found = resolveAttachment(await view.eventsOf(issueId), issueId, input.attachment)
    const blob = await view.findAttachmentBlob(found.sha256)
    const object = blob === undefined ? null : await repository.git.readObject(blob as Oid, limits.chunkReadBytesMax)
    if (object === null) {
      throw new NotFoundError(
        `the content of '${makeVisible(found.name)}' is not stored in this repository, only its hash`,
        {
          details: { sha256: found.sha256 },
        },
      )
    }
    if (createHash('sha256').update(object.content).digest('hex') !== found.sha256) {
      throw new ConflictError(
        `the stored content of '${makeVisible(found.name)}' does not match its SHA-256; nothing was written`,
        {
          details: { sha256: found.sha256, object_id: blob },
        },
      )
    }
    const path = resolve(context.cwd, input.output ?? requireFileName(found))
    const there = await lstat(path).catch(() => undefined)
    if (there !== undefined && !input.force) throw outputExists(path, 'already exists', 'or pass --force')
    // Others choose the name of an attachment, and may have planted the link that it resolves to.
    if (input.output === undefined && there?.isSymbolicLink()) throw outputExists(path, 'is a link')
    const { layout } = repository
    await writeOutputFile(await findOutputPlace(layout, path), object.content, { layout })
    return { data: { issue_id: issueId, name: found.name, sha256: found.sha256, bytes: object.content.length, path } }
  },
})

export type IssueAttachmentGetInput = GivenInput<typeof issueAttachmentGet>
export type IssueAttachmentGetData = DataOf<typeof issueAttachmentGet>

/** The name as a file name. @throws {InvalidArgsError} when it is hidden, a path, or looks like an option */
function requireFileName({ name, sha256 }: Attachment): string {
  const file = basename(name)
  if (makeVisible(file) === file && !/^[-.]|\\|^$/.test(file)) return file
  throw new InvalidArgsError(`'${makeVisible(name)}' is not safe as a file name; choose one with --output`, {
    details: { field: 'output', value: name, sha256 },
  })
}

function outputExists(path: string, reason: string, otherwise = ''): ConflictError {
  return new ConflictError(`${makeVisible(path)} ${reason}; nothing was written`, {
    details: { path },
    hints: [`Choose another name with --output${otherwise === '' ? '' : `, ${otherwise}`}`],
  })
}
