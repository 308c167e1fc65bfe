// Compiled code of the scripts for a Node other than that of the build, or for other V8 flags. Each everyday command saves its
// code on exit, the first time it runs. The files are in the user's cache folder, not beside the scripts, which may be read-only
// or belong to another user. V8 trusts the bytes, so only files that nobody else can have written are read.
//
//     <script>-<command>-<bundle>-<Node>-<platform>-<processor>-<flags of V8>
'use strict'
const fs = require('node:fs')
const { isAbsolute, join } = require('node:path')
const { cachedDataVersionTag } = require('node:v8')

/** Inserted by the build. V8 itself compares only the length of the source. */
const bundleId = '@bundle-id@'
/** Maximum number of files, since versions of grite and Node change: about two versions. */
const filesMax = 40

/**
 * Compiles a script, with our own code if it exists.
 *
 * @param {(cachedData?: Buffer) => import('node:vm').Script | undefined} compile - returns undefined when V8 rejects the cache
 * @param {string} codeName - the script and the command
 */
function compileWithOwn(compile, codeName) {
  const folder = findFolder()
  if (folder === undefined) return compile()
  const tag = cachedDataVersionTag()
  const name = [codeName, bundleId, process.version, process.platform, process.arch, tag.toString(16)].join('-')
  const own = readOwn(join(folder, name))
  const reused = own && compile(own)
  if (reused) return reused
  const script = compile()
  // The code of other commands is too seldom used, and that of the version too small, to be worth saving.
  if (!/-(?:other|version)$/.test(codeName)) {
    process.once('exit', () => {
      // A bulk command that was interrupted leaves other V8 flags.
      if (cachedDataVersionTag() === tag) keep(script, folder, name)
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
    return fs.readFileSync(file)
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
function keep(script, folder, name) {
  const draft = join(folder, `${name}.${process.pid}.tmp`)
  try {
    // `sudo` may preserve HOME: root must not leave files in the folder of another user.
    if (!isOurs(fs.statSync(nearest(folder)))) return
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (!isOurs(fs.statSync(folder))) return
    const file = fs.openSync(draft, 'wx', 0o600)
    try {
      fs.writeFileSync(file, script.createCachedData())
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
