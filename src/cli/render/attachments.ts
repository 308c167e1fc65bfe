import type { IssueAttachmentGetData, IssueAttachmentListData } from '../../commands/issue/attachment.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatBytes } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import type { Renderer } from './renderer.ts'
import { renderTable } from './table.ts'

const shaShown = 12

export const renderAttachmentList: Renderer<IssueAttachmentListData> = async ({ issue_id, attachments }, view) => {
  if (attachments.length === 0) {
    return view.quiet || view.width === null ? '' : `No attachments on ${shorten(issue_id)}.\n`
  }
  return renderTable(
    attachments,
    [
      { heading: 'Name', text: ({ name }) => name, paint: view.style.accent, shrink: 1, widthMin: 12 },
      { heading: 'Type', text: ({ mime }) => mime, shrink: 2 },
      { heading: 'Content', text: ({ stored }) => (stored ? 'stored' : 'elsewhere') },
      {
        heading: 'SHA-256',
        text: ({ sha256 }) => sha256.slice(0, shaShown),
        plainText: ({ sha256 }) => sha256,
        paint: view.style.dim,
      },
    ],
    view,
  )
}

export const renderAttachmentGet: Renderer<IssueAttachmentGetData> = ({ name, bytes, path }, { quiet, style }) =>
  quiet ? '' : `${style.good('Wrote')} ${escapeLine(name)} (${formatBytes(bytes)}) to ${escapeLine(path)}\n`
