// A code cache of the bundle for a Node other than that of the build, or for other V8 flags. Each everyday command adds its
// code on exit, the first time it runs. The file is in the user's cache folder, not beside the bundle, which may be read-only
// or belong to another user. V8 trusts the bytes, so only files that nobody else can have written are read.
//
//     <bundle>-<Node>-<platform>-<processor>-<flags of V8>    code, newline, commands with commas between them
'use strict'
const fs = require('node:fs')
const { isAbsolute, join } = require('node:path')
const { cachedDataVersionTag } = require('node:v8')

/** Inserted by the build. V8 itself compares only the length of the source. */
const bundleId = '@bundle-id@'
/** Maximum number of files, since versions of grite and Node change. */
const filesMax = 8
/** Other commands are too rare to be worth the time for saving their code. */
const everyday = [
  'issue create',
  'issue list',
  'issue show',
  'issue comment',
  'issue update',
  'issue close',
  'ready',
  'sync',
]

/**
 * Compiles the bundle, with our own code cache if it exists.
 *
 * @param {(cachedData?: Buffer) => import('node:vm').Script | undefined} compile - returns undefined when V8 rejects the cache
 * @param {string} command - its first words
 */
function compileWithOwn(compile, command) {
  const folder = findFolder()
  if (folder === undefined) return compile()
  const tag = cachedDataVersionTag()
  const name = [bundleId, process.version, process.platform, process.arch, tag.toString(16)].join('-')
  const own = readOwn(join(folder, name))
  const reused = own && compile(own.code)
  const script = reused || compile()
  const known = reused ? own.commands : []
  if (everyday.includes(command) && !known.includes(command)) {
    process.once('exit', () => {
      // Bulk commands change V8 flags.
      if (cachedDataVersionTag() === tag) keep(script, [...known, command], folder, name)
    })
  }
  return script
}

/** Undefined if the user has no cache folder, or has disabled it with the variable of Node's own cache. */
function findFolder() {
  const { HOME: home, XDG_CACHE_HOME: caches = '', NODE_DISABLE_COMPILE_CACHE: isOff } = process.env
  if (isOff || process.getuid === undefined) return undefined
  if (isAbsolute(caches)) return join(caches, 'grite')
  if (!home || !isAbsolute(home)) return undefined
  return join(home, process.platform === 'darwin' ? 'Library/Caches' : '.cache', 'grite')
}

function readOwn(path) {
  let file
  try {
    file = fs.openSync(path, 'r')
    if (!isOurs(fs.fstatSync(file))) return undefined
    const bytes = fs.readFileSync(file)
    const end = bytes.lastIndexOf('\n')
    return { code: bytes.subarray(0, end), commands: bytes.toString('latin1', end + 1).split(',') }
  } catch {
    return undefined
  } finally {
    if (file !== undefined) fs.closeSync(file)
  }
}

/** Whether nobody else can have written the file. */
function isOurs({ uid, mode }) {
  return uid === process.getuid() && (mode & 0o022) === 0
}

/** Saves the cache. Errors are ignored: they must not fail the command. */
function keep(script, commands, folder, name) {
  const draft = join(folder, `${name}.${process.pid}.tmp`)
  try {
    // `sudo` may preserve HOME: root must not leave files in the folder of another user.
    if (!isOurs(fs.statSync(nearest(folder)))) return
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (!isOurs(fs.statSync(folder))) return
    const file = fs.openSync(draft, 'wx', 0o600)
    try {
      fs.writeFileSync(file, Buffer.concat([script.createCachedData(), Buffer.from(`\n${commands}`)]))
      fs.fdatasyncSync(file)
    } finally {
      fs.closeSync(file)
    }
    fs.renameSync(draft, join(folder, name))
    removeOldest(folder)
  } catch {
    removeIfThere(draft)
  }
}

function removeIfThere(path) {
  try {
    fs.unlinkSync(path)
  } catch {}
}

/** The folder itself, or its nearest existing parent. */
function nearest(folder) {
  return fs.existsSync(folder) ? folder : nearest(join(folder, '..'))
}

function removeOldest(folder) {
  const files = fs.readdirSync(folder).map((name) => ({ name, at: fs.statSync(join(folder, name)).mtimeMs }))
  for (const { name } of files.sort((a, b) => b.at - a.at).slice(filesMax))
    fs.rmSync(join(folder, name), { force: true })
}

module.exports = { compileWithOwn }
