import { describeForeign } from '../../model/index.ts'
import type { DaemonInstallLauncherData } from '../daemon/install-launcher.ts'
import type { DaemonLogsData } from '../daemon/logs.ts'
import type { DaemonStartData } from '../daemon/start.ts'
import type { DaemonList, DaemonStatusData } from '../daemon/status.ts'
import type { DaemonStopData } from '../daemon/stop.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatBytes, renderFacts } from './facts.ts'
import { formatMinute } from './relative-time.ts'
import type { Renderer } from './renderer.ts'
import { renderTable } from './table.ts'

export const renderDaemonStart: Renderer<DaemonStartData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const { started, pid, repository, idle_timeout_secs: seconds, ended } = data
  const name = `${style.accent(`daemon ${pid}`)} of ${escapeLine(repository)}`
  if (ended !== null) return `The ${name} ended: ${escapeLine(ended)}\n`
  if (!started) return `Already running: ${name}\n`
  const until = seconds === 0 ? 'it runs until it is stopped' : `it ends after ${seconds} s without a request`
  return `${style.good('Started')} ${name}; ${until}\n`
}

export const renderDaemonStop: Renderer<DaemonStopData> = ({ stopped, pid, reason }, { quiet, style }) => {
  if (quiet) return ''
  if (pid === null) return 'No daemon is running\n'
  return stopped ? `${style.good('Stopped')} daemon ${pid}\n` : `Daemon ${pid} is ${reason}; it ends after them\n`
}

export const renderDaemonStatus: Renderer<DaemonStatusData> = (data, view) => {
  if ('daemons' in data) return renderDaemons(data, view)
  if (!data.running) return view.quiet ? '' : 'No daemon is running\n'
  return renderFacts(
    [
      ['Daemon', data.pid],
      ['Repository', data.repository],
      ['Started', data.started_ts === null ? null : formatMinute(data.started_ts)],
      [
        'Ends',
        data.idle_timeout_secs === 0 ? 'when it is stopped' : `after ${data.idle_timeout_secs} s without a request`,
      ],
      ['Requests', `${data.requests_total} served, ${data.requests} running`],
      ['Clients', data.connections],
      ['Memory', data.rss_bytes === null ? null : formatBytes(data.rss_bytes)],
      ['Version', data.version],
      ['Socket', data.ipc_endpoint],
      ['Log', data.log],
    ],
    view,
  )
}

const renderDaemons: Renderer<DaemonList> = ({ daemons }, view) => {
  if (daemons.length === 0) return view.quiet || view.width === null ? '' : 'No daemon is running\n'
  return renderTable(
    daemons,
    [
      { heading: 'Daemon', text: ({ pid }) => `${pid ?? ''}`, paint: view.style.accent },
      { heading: 'Repository', text: ({ repository }) => repository ?? 'does not answer', shrink: 1, widthMin: 12 },
      { heading: 'Started', text: ({ started_ts }) => (started_ts === null ? '' : formatMinute(started_ts)), drop: 1 },
      { heading: 'Requests', text: ({ requests_total }) => `${requests_total ?? ''}`, drop: 2 },
    ],
    view,
  )
}

export const renderDaemonLogs: Renderer<DaemonLogsData> = ({ lines }, { style }) =>
  lines
    .map(({ time, level, message, facts }) => {
      const more = Object.entries(facts).map(([name, value]) => ` ${name}=${textOf(value)}`)
      const text = escapeLine(`${message}${more.join('')}`)
      return `${style.dim(escapeLine(time ?? ''))} ${level === 'warn' ? style.bad(text) : text}\n`
    })
    .join('')

/** Our own facts are texts and numbers. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : describeForeign(value)
}

export const renderLauncher: Renderer<DaemonInstallLauncherData> = ({ path, target, outcome }, { quiet, style }) => {
  if (quiet) return ''
  const done = outcome === 'created' ? style.good('Linked') : 'Nothing to change:'
  return `${done} ${style.accent(escapeLine(path))} to ${escapeLine(target)}\n`
}
