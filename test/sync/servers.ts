/**
 * Real git servers on a free port of this machine: git's own http-backend behind a small web server, and `git daemon`.
 * Both end with the test.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CleanUp, Sandbox } from '../git/temp-repository.ts'

const programs = execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim()

/** This machine's address to itself. */
function findLoopback(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return all.find(({ internal, family }) => internal && family === 'IPv4')?.address
}

/** Why servers cannot run here; false when they can. */
export const whyNoServers: string | false = ((): string | false => {
  const missing = ['git-http-backend', 'git-daemon', 'git-remote-http'].find(
    (name) => !existsSync(join(programs, name)),
  )
  if (missing !== undefined) return `this machine has no ${missing}`
  return findLoopback() === undefined ? 'this machine has no loopback interface' : false
})()

export type Service = 'git-upload-pack' | 'git-receive-pack'

/** A request of git: for the refs of a service, or for its work. */
export interface GitRequest {
  readonly service: Service
  readonly step: 'refs' | 'work'
}

export interface HttpOptions {
  /** Required `user:password`. */
  readonly login?: string
  /** Runs before a request is served. */
  readonly before?: (request: GitRequest) => Promise<unknown> | unknown
  /** Where the connection breaks: before the whole request arrived, inside the answer, or before the answer. */
  readonly cut?: (request: GitRequest) => 'request' | 'answer' | 'after' | undefined
}

export interface RunningServer {
  /** Address of the repository. */
  readonly address: string
  /** The same with a login in it. */
  addressFor(login: string): string
}

/** Serves a bare repository over smart HTTP. Options are read for every request, so a test may change them. */
export async function serveHttp(
  t: CleanUp,
  sandbox: Sandbox,
  repository: string,
  options: HttpOptions = {},
): Promise<RunningServer> {
  const host = findLoopback() as string
  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.destroy())
  })
  const sockets = new Set<Socket>()
  const children = new Set<ReturnType<typeof spawn>>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, host)
  await once(server, 'listening')
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    for (const child of children) child.kill('SIGKILL')
    server.close()
    await once(server, 'close')
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x')
    const asked: GitRequest = {
      service: (url.searchParams.get('service') ?? basename(url.pathname)) as Service,
      step: url.pathname.endsWith('/info/refs') ? 'refs' : 'work',
    }
    const { login } = options
    const given = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString()
    if (login !== undefined && given !== login) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end()
      return
    }
    await options.before?.(asked)
    const cut = options.cut?.(asked)
    if (cut === 'request') {
      request.destroy()
      return
    }
    const child = spawn(join(programs, 'git-http-backend'), {
      env: backendEnvironment(request, url, login?.split(':')[0] ?? 'somebody'),
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    children.add(child)
    child.once('close', () => children.delete(child))
    child.stdin.on('error', () => {})
    request.pipe(child.stdin)
    const chunks: Buffer[] = []
    for await (const chunk of child.stdout) chunks.push(chunk)
    if (cut === 'after') {
      request.socket.destroy()
      return
    }
    answer(response, Buffer.concat(chunks), cut === 'answer')
  }

  function backendEnvironment(request: IncomingMessage, url: URL, user: string): Record<string, string> {
    const { headers } = request
    return {
      ...sandbox.environment,
      GIT_PROJECT_ROOT: dirname(repository),
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      REMOTE_USER: user,
      ...(headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: headers['content-length'] }),
    }
  }

  const at = `${host}:${(server.address() as AddressInfo).port}/${basename(repository)}`
  return { address: `http://${at}`, addressFor: (login) => `http://${login}@${at}` }
}

/** Sends the output of a CGI program; only half of it when the connection is to break. */
function answer(response: ServerResponse, output: Buffer, isCut: boolean): void {
  const end = output.indexOf('\r\n\r\n')
  let status = 200
  const headers: [string, string][] = []
  for (const line of output.toString('latin1', 0, end).split('\r\n')) {
    const [name = '', value = ''] = line.split(/: (.*)/s)
    if (name === 'Status') status = Number.parseInt(value, 10)
    else headers.push([name, value])
  }
  const body = output.subarray(end + 4)
  response.writeHead(status, [...headers, ['Content-Length', String(body.length)]].flat())
  if (!isCut) response.end(body)
  else response.write(body.subarray(0, body.length >> 1), () => response.socket?.destroy())
}

/** Serves a bare repository by `git daemon`. */
export async function serveDaemon(
  t: CleanUp,
  { environment }: Sandbox,
  repository: string,
  { cutAfterBytes }: { readonly cutAfterBytes?: () => number } = {},
): Promise<RunningServer> {
  const host = findLoopback() as string
  const port = await findFreePort(host)
  const child = spawn(
    join(programs, 'git-daemon'),
    [
      ...['--reuseaddr', '--export-all', '--enable=receive-pack', `--base-path=${dirname(repository)}`],
      ...[`--listen=${host}`, `--port=${port}`],
    ],
    // Its own process group, so that its children end with it.
    { env: environment, stdio: 'ignore', detached: true },
  )
  const ended = once(child, 'close')
  t.after(async () => {
    process.kill(-(child.pid as number), 'SIGKILL')
    await ended
  })
  await waitUntilOpen(host, port, () => child.exitCode !== null)
  const open = cutAfterBytes === undefined ? port : await startCuttingProxy(t, host, port, cutAfterBytes)
  const at = `${host}:${open}/${basename(repository)}`
  return { address: `git://${at}`, addressFor: () => `git://${at}` }
}

async function findFreePort(host: string): Promise<number> {
  const server = createTcpServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function waitUntilOpen(host: string, port: number, isDead: () => boolean): Promise<void> {
  for (;;) {
    if (isDead()) throw new Error('git daemon did not start')
    const socket = connect(port, host)
    try {
      await once(socket, 'connect')
      return
    } catch {
      await sleep(10)
    } finally {
      socket.destroy()
    }
  }
}

/** Forwards connections, and breaks each after a number of bytes sent to the client. */
async function startCuttingProxy(
  t: CleanUp,
  host: string,
  target: number,
  cutAfterBytes: () => number,
): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((client) => {
    const upstream = connect(target, host)
    const end = () => [client, upstream].map((socket) => socket.destroy())
    let left = cutAfterBytes()
    upstream.on('data', (chunk) => {
      client.write(chunk.subarray(0, left))
      left -= chunk.length
      if (left <= 0) end()
    })
    client.pipe(upstream)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', end).once('close', end)
    }
  }).listen(0, host)
  await once(server, 'listening')
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}
