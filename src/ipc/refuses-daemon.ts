/** Variables that name a repository, as a hook has them. */
const steering = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_COMMON_DIR',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_NAMESPACE',
  'GIT_QUARANTINE_PATH',
  'GIT_CEILING_DIRECTORIES',
  'GIT_DISCOVERY_ACROSS_FILESYSTEM',
]

/** Whether no daemon must be used, or started, for this line (docs/ipc.md, Finding the daemon). */
export function refusesDaemon(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): boolean {
  const { GRITE_NO_DAEMON: said = '' } = env
  if ((said !== '' && said !== '0') || argv[0] === 'daemon' || argv.includes('--no-daemon')) return true
  return steering.some((name) => env[name] !== undefined)
}
