// Compiled code of the bundle for a Node that the build did not run on, or for other flags of V8. Each everyday command
// adds what it needed when it runs for the first time, as it ends. The file lies in the user's folder for caches, not
// beside the bundle, which may be read-only or belong to somebody else. V8 trusts the bytes, so only what nobody else
// can have written is read.
//
//     <bundle>-<Node>-<platform>-<processor>-<flags of V8>    code, newline, commands with commas between them
'use strict'
const fs = require('node:fs')
const { isAbsolute, join } = require('node:path')
const { cachedDataVersionTag } = require('node:v8')

/** Put in by the build. V8 itself compares no more of a source than its length. */
const bundleId = '@bundle-id@'
/** Versions of grite and of Node come and go. */
const filesMax = 8
/** Others are too rare to be worth the time that keeping takes. */
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
 * Compiles the bundle, with own code where there is some.
 *
 * @param {(cachedData?: Buffer) => import('node:vm').Script | undefined} compile - gives undefined when V8 rejects the code
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
      // Bulk commands change flags of V8.
      if (cachedDataVersionTag() === tag) keep(script, [...known, command], folder, name)
    })
  }
  return script
}

/** Undefined where the user has none, or does not want it (a variable of Node's own cache says so). */
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

/** Whether nobody else can have written it. */
function isOurs({ uid, mode }) {
  return uid === process.getuid() && (mode & 0o022) === 0
}

/** A cache: what goes wrong is no failure of the command. */
function keep(script, commands, folder, name) {
  const draft = join(folder, `${name}.${process.pid}.tmp`)
  try {
    // `sudo` may leave HOME as it was: nothing of root's is left in the folder of somebody else.
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

/** The folder itself, or the one above it that is there. */
function nearest(folder) {
  return fs.existsSync(folder) ? folder : nearest(join(folder, '..'))
}

function removeOldest(folder) {
  const files = fs.readdirSync(folder).map((name) => ({ name, at: fs.statSync(join(folder, name)).mtimeMs }))
  for (const { name } of files.sort((a, b) => b.at - a.at).slice(filesMax))
    fs.rmSync(join(folder, name), { force: true })
}

module.exports = { compileWithOwn }
