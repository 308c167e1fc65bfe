/** Limits for writers. Readers do not check them: every event that verifies is folded (design §10). */
import { InvalidArgsError } from './errors/index.ts'
import type { EventBody } from './event-kinds.ts'
import { limits } from './limits.ts'

/** @throws {InvalidArgsError} naming the field, its size and the limit, or the problem with its text */
export function validateBody(body: EventBody): void {
  switch (body.type) {
    case 'IssueCreated':
      requireTitle(body.title)
      requireText('body', body.body, limits.bodyBytesMax)
      for (const label of body.labels) requireLabel(label)
      return
    case 'IssueUpdated':
      if (body.title !== null) requireTitle(body.title)
      if (body.body !== null) requireText('body', body.body, limits.bodyBytesMax)
      return
    case 'CommentAdded':
      requireWords('body', body.body, limits.bodyBytesMax)
      return
    case 'LabelAdded':
      requireLabel(body.label)
      return
    case 'AssigneeAdded':
      requireWords('user', body.user, limits.assigneeBytesMax)
      return
    case 'LinkAdded':
      requireWords('url', body.url, limits.urlBytesMax)
      if (body.note !== null) requireText('note', body.note, limits.noteBytesMax)
      return
    case 'AttachmentAdded':
      requireWords('name', body.name, limits.attachmentNameBytesMax)
      requireWords('mime', body.mime, limits.mimeBytesMax)
      return
    case 'ContextUpdated':
    case 'ProjectContextUpdated':
    case 'LabelRemoved':
    case 'AssigneeRemoved':
    case 'StateChanged':
    case 'DependencyAdded':
    case 'DependencyRemoved':
      return
  }
}

/** @throws {InvalidArgsError} on an empty, blank or too long title */
export function requireTitle(title: string): void {
  requireWords('title', title, limits.titleBytesMax)
}

/** @throws {InvalidArgsError} on an empty, blank or too long label */
export function requireLabel(label: string): void {
  requireWords('label', label, limits.labelBytesMax)
}

function requireWords(field: string, text: string, bytesMax: number): void {
  if (text.trim() === '') {
    throw new InvalidArgsError(`${field} must not be empty`, { details: { field, value: text } })
  }
  requireText(field, text, bytesMax)
}

function requireText(field: string, text: string, bytesMax: number): void {
  if (!text.isWellFormed()) {
    throw new InvalidArgsError(`${field} is not valid Unicode (a lone surrogate)`, { details: { field } })
  }
  const bytes = new TextEncoder().encode(text).length
  if (bytes > bytesMax) {
    throw new InvalidArgsError(`${field} has ${bytes} bytes; at most ${bytesMax} are allowed`, {
      details: { field, bytes, bytes_max: bytesMax },
    })
  }
}
