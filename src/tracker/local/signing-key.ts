/**
 * The key files of an actor.
 *
 *     signing_key        the seed that signs, as 64 hex
 *     signing_key.next   during a rotation: the seed that replaces it once its card is in the log
 *
 * Invariants
 * - The next seed and its directory entry are flushed before its card is appended, so the log never has a key that is lost.
 * - `signing_key.next` is renamed last. While it exists, a rotation is in progress or was interrupted, and the log shows
 *   how far it got.
 */
import { statSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigError, StorageError } from '../../model/index.ts'
import { generateKeyPair, type Signer, signerFromSeed } from '../../wal/index.ts'
import type { Actor } from './actors.ts'
import type { GritePaths } from './paths.ts'
import { readTomlText, setTopLevelKey } from './toml-file.ts'
import { flushFolder, writeFileAtomically } from './write-file-atomically.ts'

const keyName = 'signing_key'
const nextKeyName = 'signing_key.next'
const keyMode = 0o600

/** The signer of an actor; undefined if it has no key. @throws {ConfigError} when the file is not a key */
export async function readSigner(paths: GritePaths, actor: Actor): Promise<Signer | undefined> {
  return readKey(findKeyFile(paths, actor, keyName))
}

/** The next signer of a rotation in progress. */
export async function readNextSigner(paths: GritePaths, actor: Actor): Promise<Signer | undefined> {
  return readKey(findKeyFile(paths, actor, nextKeyName))
}

/** The key file beside the configuration, else at the path of the Rust tool. */
function findKeyFile(paths: GritePaths, actor: Actor, name: string): string | undefined {
  return [join(actor.dataDir, name), join(paths.actorDir(actor.id), name)].find(isThere)
}

/** Fails if the file is inaccessible, instead of treating the key as absent: the actor would then write unsigned events. */
function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return false
    throw unreadable(path, error)
  }
}

function unreadable(path: string, cause: unknown): StorageError {
  return new StorageError(`${path} cannot be read: ${(cause as Error).message}`, { details: { path }, cause })
}

async function readKey(file: string | undefined): Promise<Signer | undefined> {
  if (file === undefined) return undefined
  const signer = signerFromSeed((readTomlText(file) ?? '').trim())
  if (signer !== undefined) return signer
  throw new ConfigError(`${file} is not a key: expected 64 hexadecimal characters`, { details: { file } })
}

/** Writes the key of a new actor. */
export async function writeFirstKey(folder: string, seedHex: string): Promise<void> {
  await writeFileAtomically(join(folder, keyName), seedHex, { mode: keyMode })
}

/** Creates the next key of an actor, or reuses the one of an interrupted rotation. */
export async function makeNextKey(
  paths: GritePaths,
  actor: Actor,
  randomBytes: (count: number) => Uint8Array,
): Promise<Signer> {
  const left = await readNextSigner(paths, actor)
  if (left !== undefined) return left
  const present = findKeyFile(paths, actor, keyName)
  const folder = present === undefined ? actor.dataDir : dirname(present)
  const { seedHex } = generateKeyPair(randomBytes(32))
  await writeFileAtomically(join(folder, nextKeyName), seedHex, { mode: keyMode })
  await flushFolder(folder)
  return signerFromSeed(seedHex) as Signer
}

/** Activates the next key after its card is in the log. A no-op if another process has already done so. */
export async function adoptNextKey(paths: GritePaths, actor: Actor, publicKey: string): Promise<void> {
  const config = join(actor.dataDir, 'config.toml')
  const text = readTomlText(config) ?? ''
  const named = setTopLevelKey(setTopLevelKey(text, 'key_scheme', 'ed25519'), 'public_key', publicKey)
  if (named !== text) await writeFileAtomically(config, named, { permissions: paths.permissions })
  const next = findKeyFile(paths, actor, nextKeyName)
  if (next === undefined) return
  try {
    await rename(next, join(dirname(next), keyName))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  await flushFolder(dirname(next))
}
