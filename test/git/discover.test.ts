import assert from 'node:assert/strict'
import { chownSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { findRepository } from '../../src/git/discover.ts'
import { currentOwner } from '../../src/git/index.ts'
import { GitNotFoundError, NotFoundError, RepositoryRefusedError } from '../../src/model/errors/index.ts'
import { checksOwners, ownersAreNotChecked } from './git-features.ts'
import { createSandbox, type Sandbox, whyNotMakeable } from './temp-repository.ts'

/** A PATH without git: a search that succeeds with it does not run git. */
const noGit = '/nowhere'
const init = ['-c', 'init.defaultBranch=main', 'init', '-q', '--template=']

interface Found {
  /** Paths relative to the sandbox; `workTree` is null for a bare repository. */
  readonly gitDir: string
  readonly commonDir?: string
  readonly workTree: string | null
}

interface Case {
  readonly title: string
  /** Whether grite must run git to decide. */
  readonly asksGit?: boolean
  readonly make: (sandbox: Sandbox) => { cwd: string; env?: Record<string, string> }
  readonly found: Found
}

function commit({ git }: Sandbox, path: string): void {
  git(path, 'commit', '-q', '--allow-empty', '-m', 'first')
}

const cases: readonly Case[] = [
  {
    title: 'the top of a work tree',
    make: ({ git, dir }) => {
      git(dir, ...init, 'r')
      return { cwd: 'r' }
    },
    found: { gitDir: 'r/.git', workTree: 'r' },
  },
  {
    title: 'a directory below the top of a work tree',
    make: ({ git, dir }) => {
      git(dir, ...init, 'r')
      mkdirSync(join(dir, 'r/a/b'), { recursive: true })
      return { cwd: 'r/a/b' }
    },
    found: { gitDir: 'r/.git', workTree: 'r' },
  },
  {
    title: 'a symbolic link to a work tree',
    make: ({ git, dir }) => {
      git(dir, ...init, 'r')
      symlinkSync(join(dir, 'r'), join(dir, 'link'))
      return { cwd: 'link' }
    },
    found: { gitDir: 'r/.git', workTree: 'r' },
  },
  {
    title: 'a linked work tree',
    make: (sandbox) => {
      sandbox.git(sandbox.dir, ...init, 'r')
      commit(sandbox, join(sandbox.dir, 'r'))
      sandbox.git(join(sandbox.dir, 'r'), 'worktree', 'add', '-q', '../w')
      return { cwd: 'w' }
    },
    found: { gitDir: 'r/.git/worktrees/w', commonDir: 'r/.git', workTree: 'w' },
  },
  {
    title: 'a work tree linked to a bare repository',
    make: (sandbox) => {
      sandbox.git(sandbox.dir, ...init, 'r')
      commit(sandbox, join(sandbox.dir, 'r'))
      sandbox.git(sandbox.dir, 'clone', '-q', '--bare', 'r', 'bare')
      sandbox.git(join(sandbox.dir, 'bare'), 'worktree', 'add', '-q', '../w')
      return { cwd: 'w' }
    },
    found: { gitDir: 'bare/worktrees/w', commonDir: 'bare', workTree: 'w' },
  },
  {
    title: 'a bare repository',
    asksGit: true,
    make: ({ git, dir }) => {
      git(dir, ...init, '--bare', 'r')
      return { cwd: 'r' }
    },
    found: { gitDir: 'r', workTree: null },
  },
  {
    title: 'a directory inside a bare repository',
    asksGit: true,
    make: ({ git, dir }) => {
      git(dir, ...init, '--bare', 'r')
      return { cwd: 'r/objects' }
    },
    found: { gitDir: 'r', workTree: null },
  },
  {
    title: 'a submodule',
    make: (sandbox) => {
      const { git, dir } = sandbox
      git(dir, ...init, 'inner')
      commit(sandbox, join(dir, 'inner'))
      git(dir, ...init, 'outer')
      git(
        join(dir, 'outer'),
        '-c',
        'protocol.file.allow=always',
        'submodule',
        '--quiet',
        'add',
        join(dir, 'inner'),
        'sub',
      )
      return { cwd: 'outer/sub' }
    },
    found: { gitDir: 'outer/.git/modules/sub', workTree: 'outer/sub' },
  },
  {
    title: 'a separate git directory',
    make: ({ git, dir }) => {
      git(dir, ...init, '--separate-git-dir', 'elsewhere', 'r')
      return { cwd: 'r' }
    },
    found: { gitDir: 'elsewhere', workTree: 'r' },
  },
  {
    title: 'GIT_DIR with the current directory as work tree',
    asksGit: true,
    make: ({ git, dir }) => {
      git(dir, ...init, 'r')
      mkdirSync(join(dir, 'other'))
      return { cwd: 'other', env: { GIT_DIR: '../r/.git' } }
    },
    found: { gitDir: 'r/.git', workTree: 'other' },
  },
  {
    title: 'GIT_DIR with GIT_WORK_TREE',
    asksGit: true,
    make: ({ git, dir }) => {
      git(dir, ...init, 'r')
      mkdirSync(join(dir, 'tree'))
      return { cwd: '.', env: { GIT_DIR: join(dir, 'r/.git'), GIT_WORK_TREE: join(dir, 'tree') } }
    },
    found: { gitDir: 'r/.git', workTree: 'tree' },
  },
  {
    title: 'GIT_COMMON_DIR beside GIT_DIR',
    asksGit: true,
    make: (sandbox) => {
      const { git, dir } = sandbox
      git(dir, ...init, 'r')
      git(dir, ...init, '--bare', 'common')
      return { cwd: 'r', env: { GIT_DIR: '.git', GIT_COMMON_DIR: '../common' } }
    },
    found: { gitDir: 'r/.git', commonDir: 'common', workTree: 'r' },
  },
  {
    title: 'core.worktree',
    asksGit: true,
    make: ({ git, dir }) => {
      git(dir, ...init, 'r')
      mkdirSync(join(dir, 'tree'))
      git(join(dir, 'r'), 'config', 'core.worktree', '../../tree')
      return { cwd: 'r' }
    },
    found: { gitDir: 'r/.git', workTree: 'tree' },
  },
  {
    title: 'a sparse work tree with worktree settings',
    make: ({ git, dir }) => {
      git(dir, ...init, 'r')
      git(join(dir, 'r'), 'config', 'extensions.worktreeConfig', 'true')
      git(join(dir, 'r'), 'config', '--worktree', 'core.sparseCheckout', 'true')
      return { cwd: 'r' }
    },
    found: { gitDir: 'r/.git', workTree: 'r' },
  },
  {
    title: 'a repository whose HEAD is a symbolic link',
    asksGit: true,
    make: ({ git, dir }) => {
      git(dir, ...init, 'r')
      rmSync(join(dir, 'r/.git/HEAD'))
      symlinkSync('refs/heads/main', join(dir, 'r/.git/HEAD'))
      return { cwd: 'r' }
    },
    found: { gitDir: 'r/.git', workTree: 'r' },
  },
  {
    title: 'a .git that is a symbolic link',
    asksGit: true,
    make: ({ git, dir }) => {
      git(dir, ...init, 'r')
      mkdirSync(join(dir, 'link'))
      symlinkSync('../r/.git', join(dir, 'link/.git'))
      return { cwd: 'link' }
    },
    found: { gitDir: 'r/.git', workTree: 'link' },
  },
  {
    title: 'a directory inside .git',
    asksGit: true,
    make: ({ git, dir }) => {
      git(dir, ...init, 'r')
      return { cwd: 'r/.git/objects' }
    },
    found: { gitDir: 'r/.git', workTree: null },
  },
  {
    title: 'a repository with line ends in its path',
    asksGit: true,
    make: ({ git, dir }) => {
      mkdirSync(join(dir, 'a\nb\n'))
      git(join(dir, 'a\nb\n'), ...init)
      mkdirSync(join(dir, 'a\nb\n/.git/x'))
      return { cwd: 'a\nb\n/.git/x' }
    },
    found: { gitDir: 'a\nb\n/.git', workTree: null },
  },
  {
    title: 'an outer repository around an empty inner .git',
    asksGit: true,
    make: ({ git, dir }) => {
      git(dir, ...init, 'r')
      mkdirSync(join(dir, 'r/a/.git'), { recursive: true })
      return { cwd: 'r/a' }
    },
    found: { gitDir: 'r/.git', workTree: 'r' },
  },
  {
    title: 'a repository below a ceiling',
    asksGit: true,
    make: ({ git, dir }) => {
      git(dir, ...init, 'r')
      mkdirSync(join(dir, 'r/a'))
      return { cwd: 'r/a', env: { GIT_CEILING_DIRECTORIES: dir } }
    },
    found: { gitDir: 'r/.git', workTree: 'r' },
  },
]

describe('findRepository finds', { concurrency: true }, () => {
  for (const { title, asksGit = false, make, found } of cases) {
    it(`findRepository finds ${title} like git${asksGit ? '' : ', without running it'}`, async (t) => {
      const sandbox = createSandbox(t)
      const made = make(sandbox)
      const cwd = join(sandbox.dir, made.cwd)
      const env = { ...sandbox.environment, ...made.env }
      const layout = await findRepository({ cwd, env: asksGit ? env : { ...env, PATH: noGit } })
      if (asksGit) await assert.rejects(findRepository({ cwd, env: { ...env, PATH: noGit } }), GitNotFoundError)
      const absolute = (path: string) => join(sandbox.dir, path)
      assert.deepEqual(
        { gitDir: layout.gitDir, commonDir: layout.commonDir, workTree: layout.workTree },
        {
          gitDir: absolute(found.gitDir),
          commonDir: absolute(found.commonDir ?? found.gitDir),
          workTree: found.workTree && absolute(found.workTree),
        },
      )
      assert.equal(layout.objectDir, join(layout.commonDir, 'objects'))
      assert.deepEqual([layout.objectFormat, layout.refStorage, layout.unusualObjectStore], ['sha1', 'files', false])
      if (Object.keys(made.env ?? {}).length === 0) {
        assert.equal(layout.gitDir, sandbox.git(cwd, 'rev-parse', '--absolute-git-dir'))
        if (layout.workTree) assert.equal(layout.workTree, sandbox.git(cwd, 'rev-parse', '--show-toplevel'))
      }
    })
  }

  it('findRepository reads the object format', async (t) => {
    const { git, dir, environment } = createSandbox(t)
    git(dir, ...init, '--object-format=sha256', 'r')
    assert.equal((await findRepository({ cwd: join(dir, 'r'), env: environment })).objectFormat, 'sha256')
  })

  it('findRepository reads the ref storage', { skip: whyNotMakeable('reftable') ?? false }, async (t) => {
    const { git, dir, environment } = createSandbox(t)
    git(dir, ...init, '--ref-format=reftable', 'r')
    assert.equal((await findRepository({ cwd: join(dir, 'r'), env: environment })).refStorage, 'reftable')
  })

  it('findRepository detects alternate object directories', async (t) => {
    const sandbox = createSandbox(t)
    const { git, dir, environment } = sandbox
    git(dir, ...init, 'r')
    commit(sandbox, join(dir, 'r'))
    git(dir, 'clone', '-q', '--shared', 'r', 'c')
    assert.equal((await findRepository({ cwd: join(dir, 'c'), env: environment })).unusualObjectStore, true)
    mkdirSync(join(dir, 'objects'))
    const env = { ...environment, GIT_OBJECT_DIRECTORY: '../objects' }
    const layout = await findRepository({ cwd: join(dir, 'r'), env })
    assert.deepEqual([layout.objectDir, layout.unusualObjectStore], [join(dir, 'objects'), true])
  })
})

describe('findRepository reports', { concurrency: true }, () => {
  it('findRepository names the directory that has no repository', async (t) => {
    const { dir, environment } = createSandbox(t)
    await assert.rejects(findRepository({ cwd: dir, env: environment }), (error) => {
      assert.ok(error instanceof NotFoundError)
      assert.ok(error.message.includes(dir))
      return true
    })
    await assert.rejects(findRepository({ cwd: join(dir, 'none'), env: environment }), NotFoundError)
    const env = { ...environment, GIT_DIR: 'none' }
    await assert.rejects(
      findRepository({ cwd: dir, env }),
      (error) => error instanceof NotFoundError && error.message.includes(join(dir, 'none')),
    )
  })

  it('findRepository names the missing target of a .git file', async (t) => {
    const { dir, environment } = createSandbox(t)
    mkdirSync(join(dir, 'inner/below'), { recursive: true })
    writeFileSync(join(dir, 'inner/.git'), 'gitdir: ../modules/inner\n')
    const answers = { today: environment.PATH, nameless: join(dir, 'bin') }
    mkdirSync(answers.nameless)
    const script = "#!/bin/sh\necho 'fatal: not a git repository: (null)' >&2\nexit 128\n"
    writeFileSync(join(answers.nameless, 'git'), script, { mode: 0o755 })
    for (const [name, PATH] of Object.entries(answers)) {
      await assert.rejects(
        findRepository({ cwd: join(dir, 'inner/below'), env: { ...environment, PATH: PATH ?? '' } }),
        (error) => error instanceof NotFoundError && /points to \S+modules\/inner, which is not/.test(error.message),
        name,
      )
    }
  })

  it('findRepository finds no repository above a ceiling directory', async (t) => {
    const { git, dir, environment } = createSandbox(t)
    git(dir, ...init, 'r')
    mkdirSync(join(dir, 'r/a/b'), { recursive: true })
    const env = { ...environment, GIT_CEILING_DIRECTORIES: `relative:${join(dir, 'r/a')}` }
    assert.ok(await findRepository({ cwd: join(dir, 'r/a'), env }))
    await assert.rejects(findRepository({ cwd: join(dir, 'r/a/b'), env }), NotFoundError)
  })

  it('findRepository refuses a repository with an unknown extension', async (t) => {
    const { git, dir, environment } = createSandbox(t)
    git(dir, ...init, 'r')
    writeFileSync(join(dir, 'r/.git/config'), '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnovelty = true\n')
    await assert.rejects(
      findRepository({ cwd: join(dir, 'r'), env: environment }),
      (error) => error instanceof RepositoryRefusedError && /novelty/.test(error.message),
    )
  })

  it("findRepository refuses another user's repository unless trusted", {
    skip: process.getuid?.() === 0 ? false : 'needs root',
  }, async (t) => {
    const { git, dir, environment } = createSandbox(t)
    git(dir, ...init, 'r')
    if (!checksOwners(join(dir, 'r'), environment)) return t.skip(ownersAreNotChecked)
    chownSync(join(dir, 'r'), 12_345, 12_345)
    chownSync(join(dir, 'r/.git'), 12_345, 12_345)
    const cwd = join(dir, 'r')
    await assert.rejects(
      findRepository({ cwd, env: environment }),
      (error) => error instanceof RepositoryRefusedError && /safe\.directory/.test(error.hints.join()),
    )
    const env = { ...environment, GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' }
    assert.equal((await findRepository({ cwd, env: { ...env, GIT_CONFIG_GLOBAL: globalConfig(dir) } })).workTree, cwd)
  })

  it('findRepository refuses a malformed config', async (t) => {
    const { git, dir, environment } = createSandbox(t)
    git(dir, ...init, 'r')
    writeFileSync(join(dir, 'r/.git/config'), 'no config\n')
    await assert.rejects(findRepository({ cwd: join(dir, 'r'), env: environment }), RepositoryRefusedError)
  })
})

function globalConfig(dir: string): string {
  const path = join(dir, 'global')
  writeFileSync(path, '[safe]\n\tdirectory = *\n')
  return path
}

describe('currentOwner', () => {
  it('reads the owner of a process from /proc', { skip: process.platform === 'linux' ? false : 'not Linux' }, () => {
    const owner = currentOwner()
    assert.equal(owner.pid, process.pid)
    assert.equal(owner.bootId, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
    assert.match(owner.startTime, /^[1-9]\d*$/)
  })
})
