/** Faults of the machine: told as such, with the path, and never taken for a defect of grite or damage of the log. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { describeFailure } from '../../src/cli/failure.ts'
import { classifyGitFailure } from '../../src/git/classify-git-failure.ts'
import { openNative, openRepository } from '../../src/git/index.ts'
import { StorageError } from '../../src/model/errors/index.ts'
import { publishChain } from '../git/sample-commits.ts'
import { createTempRepository } from '../git/temp-repository.ts'

describe('a fault of the machine', () => {
  const path = '/repository/.git/grite/actors/0a/level/1/000008.ldb'
  const level = (code: string, message: string) => Object.assign(new Error(message), { code })
  const errno = (code: string) => Object.assign(new Error(`${code}: message, open '${path}'`), { code, path })
  const faults: Readonly<Record<string, readonly [error: Error, code: string, path: string | undefined]>> = {
    'a file of the view that cannot be read': [
      level('LEVEL_IO_ERROR', `IO error: ${path}: Input/output error`),
      'io_error',
      path,
    ],
    'the same without a code of its own': [new Error(`IO error: ${path}: Input/output error`), 'io_error', path],
    'a damaged view': [level('LEVEL_CORRUPTION', 'Corruption: block checksum mismatch'), 'db_error', undefined],
    'a disk that fails': [errno('EIO'), 'io_error', path],
    'a full memory': [errno('ENOMEM'), 'io_error', path],
    'too many open files': [errno('EMFILE'), 'io_error', path],
  }
  for (const [title, [error, code, shown]] of Object.entries(faults)) {
    it(`${title} is ${code}`, () => {
      const failure = describeFailure(error)
      assert.deepEqual([failure.code, failure.exitStatus, failure.details.path], [code, 5, shown], failure.message)
      if (shown !== undefined) assert.match(failure.message, /^IO error: (?!IO error)/)
    })
  }

  it('a defect is an internal error', () => {
    const failure = describeFailure(new TypeError('x is not a function'))
    assert.deepEqual([failure.code, failure.exitStatus, failure.details], ['internal_error', 1, {}])
  })
})

describe('a git that fails', () => {
  it('is no defect when it was killed, or when its disk failed', () => {
    const args = ['for-each-ref']
    const killed = classifyGitFailure({ args, exitStatus: null, signal: 'SIGKILL', stderr: '' })
    assert.ok(killed instanceof StorageError)
    assert.match(killed.message, /^git for-each-ref was ended by SIGKILL$/)
    const stderr = 'error: unable to open loose object 1234: Input/output error\nfatal: bad object 1234\n'
    assert.ok(classifyGitFailure({ args, exitStatus: 128, signal: null, stderr }) instanceof StorageError)
  })

  it('makes no object corrupt when it is killed while it reads it', async (t) => {
    const { layout, environment, dir } = await createTempRepository(t)
    const [oid = ''] = await publishChain(openRepository(layout, { environment }), ['one'])
    const bin = join(dir, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'git'), '#!/bin/sh\nread line\nkill -9 $$\n')
    chmodSync(join(bin, 'git'), 0o755)
    const port = openNative(layout, { environment: { ...environment, PATH: `${bin}:${environment.PATH}` } })
    t.after(() => port.close())
    await assert.rejects(port.readObject(oid as never, 1000), StorageError)
  })
})
