/** Servers that say little: one that accepts and is silent, and a proxy that is slow, or falls silent in the middle. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CleanUp } from '../git/temp-repository.ts'

/** Accepts connections, reads what comes, and never answers. Gives `host:port`. */
export function serveSilence(t: CleanUp): Promise<string> {
  return listen(t, createServer(), (client) => client.resume())
}

export interface Slowness {
  /** What goes to the client at a time, and the pause before the next. */
  readonly pieceBytes: number
  readonly pauseMs: number
  /** After so many bytes nothing more comes, and the connection stays open. */
  readonly silentAfterBytes?: number
}

/** Passes connections on to `target`, `host:port`, and the answers slowly back. Gives `host:port`. */
export function serveSlowly(t: CleanUp, target: string, slowness: Slowness): Promise<string> {
  const [host = '', port] = target.split(':')
  return listen(t, createServer(), (client) => {
    const upstream = connect(Number(port), host)
    client.on('close', () => upstream.destroy()).pipe(upstream)
    upstream.on('error', () => client.destroy())
    passSlowly(upstream, client, slowness).catch(() => client.destroy())
  })
}

async function passSlowly(from: Socket, to: Socket, { pieceBytes, pauseMs, silentAfterBytes }: Slowness) {
  let left = silentAfterBytes ?? Number.POSITIVE_INFINITY
  for await (const chunk of from as AsyncIterable<Buffer>) {
    for (let start = 0; start < chunk.length && left > 0; start += pieceBytes) {
      const piece = chunk.subarray(start, Math.min(start + pieceBytes, start + left))
      left -= piece.length
      to.write(piece)
      await sleep(pauseMs)
    }
  }
  if (left > 0) to.end()
}

async function listen(t: CleanUp, server: Server, serve: (client: Socket) => void): Promise<string> {
  const clients = new Set<Socket>()
  server.on('connection', (client) => {
    clients.add(client)
    client.on('error', () => {}).on('close', () => clients.delete(client))
    serve(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    for (const client of clients) client.destroy()
    server.close()
    await once(server, 'close')
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
