/** User configuration and kinds of clones that must not change what a sync does. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { walRef } from '../../src/wal/index.ts'
import { whyGitLacks } from '../git/git-features.ts'
import { type Clones, createClones, type Member, memberIn } from '../sync/clones.ts'

type SetUp = (member: Member, setup: Clones) => unknown

const failingHook = (member: Member): void => {
  const folder = join(member.path, 'hooks-of-mine')
  mkdirSync(folder)
  writeFileSync(join(folder, 'pre-push'), '#!/bin/sh\nexit 1\n')
  chmodSync(join(folder, 'pre-push'), 0o755)
  member.git('config', 'core.hooksPath', folder)
}

const config =
  (...pairs: readonly (readonly [key: string, value: string])[]): SetUp =>
  (member) => {
    for (const [key, value] of pairs) member.git('config', '--add', key, value)
  }

/** Settings of the clone `bo`. */
const settings: Readonly<Record<string, SetUp>> = {
  'a remote that is a push mirror': config(['remote.origin.mirror', 'true'], ['remote.origin.fetch', '+refs/*:refs/*']),
  'a refspec for everything': config(['remote.origin.fetch', '+refs/*:refs/*']),
  'a refspec for the log': config(['remote.origin.fetch', '+refs/grite/*:refs/grite/*']),
  'tags, pruning and submodules': config(
    ['remote.origin.tagOpt', '--tags'],
    ['push.followTags', 'true'],
    ['fetch.prune', 'true'],
    ['fetch.pruneTags', 'true'],
    ['remote.origin.prune', 'true'],
    ['remote.origin.pruneTags', 'true'],
    ['push.recurseSubmodules', 'on-demand'],
    ['fetch.recurseSubmodules', 'true'],
  ),
  'signed pushes and checked objects': config(
    ['push.gpgSign', 'if-asked'],
    ['fetch.fsckObjects', 'true'],
    ['transfer.fsckObjects', 'true'],
  ),
  'other ways to fetch and push': config(
    ['fetch.all', 'true'],
    ['fetch.parallel', '4'],
    ['push.default', 'nothing'],
    ['remote.origin.push', 'HEAD'],
    ['gc.auto', '1'],
    ['maintenance.auto', 'true'],
    ['fetch.writeCommitGraph', 'true'],
    ['fetch.unpackLimit', '1'],
    ['transfer.unpackLimit', '1'],
  ),
  'a hook that fails': failingHook,
  'a rewritten address': (member, setup) => {
    member.git('config', 'remote.origin.url', 'short:origin.git')
    member.git('config', `url.${setup.dir}/.insteadOf`, 'short:')
  },
  'a rewritten address for pushes': (member, setup) => {
    member.git('config', 'remote.origin.url', `${setup.dir}/./origin.git`)
    member.git('config', `url.${setup.dir}/.pushInsteadOf`, `${setup.dir}/./`)
  },
  'an address of its own for pushes': (member, setup) =>
    member.git('config', 'remote.origin.pushurl', `file://${setup.origin}`),
  'a file address': (member, setup) => member.git('config', 'remote.origin.url', `file://${setup.origin}`),
}

for (const [title, setUp] of Object.entries(settings)) {
  test(`a sync works with ${title}`, async (t) => {
    const setup = createClones(t)
    const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
    ann.git('commit', '-q', '--allow-empty', '-m', 'code')
    ann.git('tag', '-a', '-m', 'x', 'v1')
    await ann.create('of ann')
    await ann.sync()
    ann.git('push', '-q', 'origin', 'main', 'v1')
    bo.git('commit', '-q', '--allow-empty', '-m', 'own code')
    bo.git('tag', 'own')
    await bo.create('of bo')
    await setUp(bo, setup)
    const foreign = () => bo.git('for-each-ref', 'refs/heads', 'refs/tags', 'refs/remotes')
    const before = [foreign(), setup.inOrigin('for-each-ref', 'refs/heads', 'refs/tags')]
    assert.deepEqual([(await bo.sync()).events_rebased, await bo.titles()], [1, ['of ann', 'of bo']])
    await bo.create('more')
    await bo.sync()
    assert.equal(bo.head(), setup.originHead())
    assert.deepEqual([foreign(), setup.inOrigin('for-each-ref', 'refs/heads', 'refs/tags')], before)
    assert.deepEqual(bo.takeWarnings(), [])
    assert.equal((await bo.sync()).message, 'Already up to date')
  })
}

test('a failing pre-push hook is honoured with run_hooks', async (t) => {
  const setup = createClones(t)
  const bo = setup.clone('bo')
  await bo.create('of bo')
  failingHook(bo)
  writeFileSync(join(bo.path, '.git/grite/config.toml'), '[sync]\nrun_hooks = true\n')
  const failure = await bo.failSync()
  assert.deepEqual([failure.exit, failure.code, failure.details.reason], [5, 'remote_error', 'rejected'])
  assert.match(failure.message, /pre-push hook/)
  bo.git('config', 'core.hooksPath', '/nowhere')
  assert.equal((await bo.sync()).push_changed, true)
})

for (const name of ['a.b/c', 'émile', 'a=b', 'a"b', 'x.mirror']) {
  // With -c the option name would end at the `=`.
  const skip = name.includes('=') && whyGitLacks('GIT_CONFIG_COUNT')
  test(`a remote named ${name} works like any other`, { skip }, async (t) => {
    const setup = createClones(t)
    const bo = setup.clone('bo')
    bo.git('remote', 'rename', 'origin', name)
    bo.git('config', `remote.${name}.mirror`, 'true')
    await bo.create('of bo')
    assert.equal((await bo.sync()).push_changed, true)
    assert.equal((await bo.sync({ remote: name })).message, 'Already up to date')
    assert.equal(bo.head(), setup.originHead())
    assert.match(
      bo.git('for-each-ref', '--format=%(refname)'),
      /^refs\/grite-remotes\/\w+\/grite\/wal\nrefs\/grite\/wal$/,
    )
  })
}

test('several push addresses all get the log, or the sync fails', async (t) => {
  const setup = createClones(t)
  const bo = setup.clone('bo')
  setup.git(setup.dir, 'init', '-q', '--bare', '--template=', 'second.git')
  bo.git('remote', 'set-url', '--add', 'origin', '../second.git')
  await bo.create('one')
  assert.equal((await bo.sync()).push_changed, true)
  const second = join(setup.dir, 'second.git')
  assert.equal(setup.git(second, 'rev-parse', walRef), setup.originHead())
  setup.git(second, 'update-ref', walRef, setup.git(second, 'commit-tree', '-m', 'x', `${walRef}^{tree}`))
  await bo.create('two')
  const failure = await bo.failSync()
  assert.deepEqual([failure.exit, failure.details.reason], [5, 'rejected'])
  assert.match(failure.message, /1 of 2 URLs/)
  assert.equal(bo.head(), setup.originHead())
})

test('a separate push address is not taken for a lost remote', async (t) => {
  const setup = createClones(t)
  const bo = setup.clone('bo')
  setup.git(setup.dir, 'init', '-q', '--bare', '--template=', 'fork.git')
  bo.git('config', 'remote.origin.pushurl', '../fork.git')
  await bo.create('one')
  await bo.sync()
  const answers = [await bo.sync(), await bo.sync()]
  assert.deepEqual(
    answers.map(({ push_changed, push_success }) => [push_changed, push_success]),
    [
      [false, true],
      [false, true],
    ],
  )
  assert.deepEqual([bo.takeWarnings(), setup.git(join(setup.dir, 'fork.git'), 'rev-parse', walRef)], [[], bo.head()])
})

/** Kinds of clones, each with a runner in it. */
const clones: Readonly<Record<string, (setup: Clones) => Member>> = {
  'a bare clone': (setup) => {
    setup.git(setup.dir, 'clone', '-q', '--bare', 'origin.git', 'bare.git')
    return memberIn(setup, join(setup.dir, 'bare.git'))
  },
  'a mirror clone': (setup) => {
    setup.git(setup.dir, 'clone', '-q', '--mirror', 'origin.git', 'mirror.git')
    return memberIn(setup, join(setup.dir, 'mirror.git'))
  },
  'a shallow clone': (setup) => {
    setup.git(setup.dir, 'clone', '-q', '--depth=1', `file://${setup.origin}`, 'shallow')
    return memberIn(setup, join(setup.dir, 'shallow'))
  },
  'a linked work tree': (setup) => {
    setup.git(setup.dir, 'clone', '-q', 'origin.git', 'main')
    setup.git(join(setup.dir, 'main'), 'config', 'remote.origin.url', '../origin.git')
    setup.git(join(setup.dir, 'main'), 'worktree', 'add', '-q', join(setup.dir, 'linked'))
    return memberIn(setup, join(setup.dir, 'linked'))
  },
  'a folder inside the work tree': (setup) => {
    setup.git(setup.dir, 'clone', '-q', 'origin.git', 'main')
    setup.git(join(setup.dir, 'main'), 'config', 'remote.origin.url', '../origin.git')
    mkdirSync(join(setup.dir, 'main/a/b'), { recursive: true })
    return memberIn(setup, join(setup.dir, 'main/a/b'))
  },
  'a submodule': (setup) => {
    setup.git(setup.dir, 'init', '-q', '-b', 'main', 'super')
    setup.git(
      join(setup.dir, 'super'),
      '-c',
      'protocol.file.allow=always',
      'submodule',
      '--quiet',
      'add',
      setup.origin,
      'sub',
    )
    return memberIn(setup, join(setup.dir, 'super/sub'))
  },
  'a repository that GIT_DIR names': (setup) => {
    setup.git(setup.dir, 'clone', '-q', 'origin.git', 'main')
    mkdirSync(join(setup.dir, 'elsewhere'))
    return memberIn(setup, join(setup.dir, 'elsewhere'), { env: { GIT_DIR: join(setup.dir, 'main/.git') } })
  },
  'a work tree that GIT_WORK_TREE names': (setup) => {
    setup.git(setup.dir, 'clone', '-q', '--bare', 'origin.git', 'apart.git')
    setup.git(join(setup.dir, 'apart.git'), 'config', 'core.bare', 'false')
    mkdirSync(join(setup.dir, 'tree'))
    const env = { GIT_DIR: join(setup.dir, 'apart.git'), GIT_WORK_TREE: join(setup.dir, 'tree') }
    return memberIn(setup, join(setup.dir, 'tree'), { env })
  },
}

for (const format of ['sha1', 'sha256']) {
  for (const [title, make] of Object.entries(clones)) {
    // The kinds differ in paths and settings only, so two of them are enough for the other format.
    if (format === 'sha256' && title !== 'a bare clone' && title !== 'a linked work tree') continue
    test(`${title} with ${format} syncs both ways`, async (t) => {
      const setup = createClones(t, `--object-format=${format}`)
      const ann = setup.clone('ann')
      ann.git('commit', '-q', '--allow-empty', '-m', 'code')
      ann.git('commit', '-q', '--allow-empty', '-m', 'more code')
      ann.git('push', '-q', 'origin', 'main')
      setup.inOrigin('symbolic-ref', 'HEAD', 'refs/heads/main')
      await ann.create('of ann')
      await ann.sync()
      const clone = make(setup)
      await clone.create('of the clone')
      await clone.sync()
      await ann.create('more of ann')
      await ann.sync()
      assert.equal((await clone.sync()).pull_events, 1)
      await ann.sync()
      const titles = ['more of ann', 'of ann', 'of the clone']
      assert.deepEqual([await clone.titles(), await ann.titles()], [titles, titles])
      assert.equal(ann.head(), setup.originHead())
      assert.deepEqual(clone.takeWarnings(), [])
    })
  }
}

test('repositories of different object formats cannot sync', async (t) => {
  const setup = createClones(t)
  const ann = setup.clone('ann')
  await ann.create('one')
  setup.git(setup.dir, 'init', '-q', '--bare', '--object-format=sha256', 'other.git')
  const failure = await ann.failSync({ remote: join(setup.dir, 'other.git') })
  assert.deepEqual([failure.exit, failure.code], [5, 'remote_error'])
  assert.match(failure.message, /algorithm|format/)
})

test('a failed sync prints no password of its address', async (t) => {
  const setup = createClones(t)
  const ann = setup.clone('ann')
  await ann.create('one')
  const address = 'https://ann:geheim@nowhere.invalid/x.git'
  const failure = await ann.failSync({ remote: address })
  assert.deepEqual([failure.exit, failure.details.reason], [5, 'unreachable'])
  assert.doesNotMatch(JSON.stringify(failure), /geheim/)
})
