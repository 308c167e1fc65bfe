import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { endpointName, formatEndpoint, guessCommonDir, parseEndpoint, readEndpoint } from '../../src/ipc/index.ts'
import { createSandbox } from '../git/temp-repository.ts'

const endpoint = { bootId: 'b-1', pidNamespace: '4026531836', pid: 12, startTime: '345', socket: '/tmp/a b/c.sock' }

test('the line of an endpoint is read as it was written, with spaces in the path', () => {
  assert.equal(formatEndpoint(endpoint), '1 b-1 4026531836 12 345 /tmp/a b/c.sock\n')
  assert.deepEqual(parseEndpoint(formatEndpoint(endpoint)), endpoint)
})

for (const text of [
  '',
  '2 b-1 4026531836 12 345 /tmp/c.sock\n',
  '1 b-1 4026531836 12 345 c.sock\n',
  '1 b-1 4026531836 12 345 /tmp/c.sock',
  '1 b-1 4026531836 x 345 /tmp/c.sock\n',
  '1 b-1 4026531836 12 345 /tmp/c.sock\nmore\n',
]) {
  test(`${JSON.stringify(text)} names no endpoint`, () => assert.equal(parseEndpoint(text), undefined))
}

test('an endpoint counts only when its socket is a socket of this user', async (t) => {
  const { dir } = createSandbox(t)
  const [file, socket] = [join(dir, 'endpoint'), join(dir, 's.sock')]
  writeFileSync(file, formatEndpoint({ ...endpoint, socket }))
  assert.equal(readEndpoint(file), undefined, 'missing')
  writeFileSync(socket, '')
  assert.equal(readEndpoint(file), undefined, 'a file')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(dir, 'real.sock'), resolve))
  t.after(() => server.close())
  writeFileSync(file, formatEndpoint({ ...endpoint, socket: join(dir, 'real.sock') }))
  assert.equal(readEndpoint(file)?.pid, 12)
  symlinkSync(join(dir, 'real.sock'), join(dir, 'link.sock'))
  writeFileSync(file, formatEndpoint({ ...endpoint, socket: join(dir, 'link.sock') }))
  assert.equal(readEndpoint(file), undefined, 'a link')
})

test('the common git directory is found from a folder, a work tree and a submodule like git finds it', (t) => {
  const { dir, git } = createSandbox(t)
  const main = join(dir, 'main')
  mkdirSync(join(main, 'a/b'), { recursive: true })
  git(main, 'init', '-q')
  git(main, 'commit', '-q', '--allow-empty', '-m', 'first')
  git(main, 'worktree', 'add', '-q', join(dir, 'tree'))
  git(main, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', main, 'sub')
  for (const folder of [main, join(main, 'a/b'), join(dir, 'tree'), join(main, 'sub')]) {
    const expected = git(folder, 'rev-parse', '--path-format=absolute', '--git-common-dir').trim()
    const found = guessCommonDir(folder)
    assert.ok(found !== undefined, folder)
    assert.equal(join(found), expected)
  }
  assert.equal(guessCommonDir(dir), undefined)
  assert.equal(guessCommonDir('/'), undefined)
})

test('the name of the file names the user and the pid namespace', () => {
  assert.match(endpointName() ?? '', /^endpoint\.\d+\.[A-Za-z0-9_-]+$/)
})
