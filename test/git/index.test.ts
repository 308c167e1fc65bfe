import assert from 'node:assert/strict'
import { it } from 'node:test'
import * as git from '../../src/git/index.ts'

it('the git layer offers these and nothing else', () => {
  assert.deepEqual(Object.keys(git).sort(), [
    'buildTree',
    'countObjects',
    'createGitRunner',
    'currentOwner',
    'encodeCommit',
    'encodeObject',
    'encodeTree',
    'findRepository',
    'formatOwner',
    'hashObject',
    'isOid',
    'isOwnerDead',
    'oidLength',
    'openIsomorphic',
    'openNative',
    'openRemotes',
    'openRepository',
    'parseCommit',
    'parseOid',
    'parseOwner',
    'parseRefName',
    'parseTree',
    'reachableBytes',
    'readGitConfig',
    'readReflog',
    'reflogMark',
    'startMaintenance',
    'walRef',
  ])
})
