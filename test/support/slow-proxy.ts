/** A server that accepts connections and never answers, and a proxy that answers slowly or stops answering. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CleanUp } from '../git/temp-repository.ts'

/** Starts a server that reads its connections and never answers. Returns `host:port`. */
export function serveSilence(t: CleanUp): Promise<string> {
  return listen(t, createServer(), (client) => client.resume())
}

export interface Slowness {
  /** Bytes sent to the client at a time, and the pause after them. */
  readonly pieceBytes: number
  readonly pauseMs: number
  /** After this many bytes the proxy stops sending and keeps the connection open. */
  readonly silentAfterBytes?: number
}

/** Starts a proxy that forwards connections to `target` (`host:port`) and slows the answers. Returns `host:port`. */
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
