/** The order in which comments and their replies are shown. */

/** A comment, and the comment that it replies to. */
export interface CommentInThread {
  readonly event_id: string
  /** Null or absent for a comment that replies to none. */
  readonly parent?: string | null
}

export interface ThreadedComment<Comment> {
  readonly comment: Comment
  /** 0 for the start of a thread, one more than the parent for a reply. */
  readonly depth: number
  /** A reply to a comment that is not among them. It starts a thread. */
  readonly orphaned: boolean
}

/**
 * Orders comments by threads: each comment is followed by its replies, and those by theirs. Threads, and the replies to one
 * comment, keep the given order. The nesting may be as deep as there are comments.
 */
export function threadComments<Comment extends CommentInThread>(
  comments: readonly Comment[],
): ThreadedComment<Comment>[] {
  const known = new Set(comments.map(({ event_id }) => event_id))
  const roots: Comment[] = []
  const replies = new Map<string, Comment[]>()
  for (const comment of comments) {
    const { parent, event_id } = comment
    if (!isId(parent) || parent === event_id || !known.has(parent)) roots.push(comment)
    else {
      const siblings = replies.get(parent)
      if (siblings === undefined) replies.set(parent, [comment])
      else siblings.push(comment)
    }
  }
  const threaded: ThreadedComment<Comment>[] = []
  const next = roots.map((comment) => ({ comment, depth: 0, orphaned: isId(comment.parent) })).reverse()
  for (let entry = next.pop(); entry !== undefined; entry = next.pop()) {
    threaded.push(entry)
    const below = replies.get(entry.comment.event_id) ?? []
    const depth = entry.depth + 1
    for (const comment of below.toReversed()) next.push({ comment, depth, orphaned: false })
  }
  return threaded
}

const isId = (parent: string | null | undefined): parent is string => typeof parent === 'string'
