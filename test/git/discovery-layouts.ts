/**
 * Compares findRepository with git in generated layouts: directories with repositories, environments and settings. The
 * layouts are unusual on purpose, as an attacker, a broken copy or a careful administrator may leave them.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import fc from 'fast-check'
import { findRepository } from '../../src/git/discover.ts'
import { GitError, GitNotFoundError, GriteError } from '../../src/model/errors/index.ts'
import { whyGitLacks } from './git-features.ts'
import type { Sandbox } from './temp-repository.ts'

const heads = {
  branch: 'ref: refs/heads/main\n',
  spaced: 'ref:  \t refs/heads/main',
  detached: `${'ab'.repeat(20)}\n`,
  elsewhere: 'ref: elsewhere/main\n',
  garbage: 'garbage\n',
  empty: '',
} as const

const configs = {
  plain: '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n',
  bare: '[core]\n\trepositoryformatversion = 0\n\tbare = true\n',
  bareByName: '[core]\n\tbare\n\trepositoryformatversion = 0\n',
  bareLater: '[core]\n\trepositoryformatversion = 0\n\tbare = false\n[CORE]\n\tBare = yes\n',
  bareNumber: '[core]\n\trepositoryformatversion = 0\n\tbare = 2\n',
  workTreeThere: '[core]\n\trepositoryformatversion = 0\n\tworktree = ..\n',
  workTreeElsewhere: '[core]\n\trepositoryformatversion = 0\n\tworktree = ../../tree\n',
  workTreeAndBare: '[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tworktree = ..\n',
  noVersion: '[core]\n\tbare = false\n',
  noVersionBare: '[core]\n\tbare = true\n',
  empty: '',
  sha256: '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n',
  sha256Version0: '[core]\n\trepositoryformatversion = 0\n[extensions]\n\tobjectformat = sha256\n',
  sha1Version0: '[core]\n\trepositoryformatversion = 0\n[extensions]\n\tobjectformat = sha1\n',
  oddFormat: '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = SHA1\n',
  twoFormats: '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n\tobjectformat = sha1\n',
  unknownExtension: '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnovelty = true\n',
  unknownVersion0: '[core]\n\trepositoryformatversion = 0\n[extensions]\n\tnovelty = true\n',
  future: '[core]\n\trepositoryformatversion = 7\n',
  versionTwice: '[core]\n\trepositoryformatversion = 7\n\trepositoryformatversion = 0\n',
  versionUnit: '[core]\n\trepositoryformatversion = 0k\n',
  partial: '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialclone = origin\n',
  treeSettings: '[core]\n\trepositoryformatversion = 0\n\tbare = true\n[extensions]\n\tworktreeconfig = true\n',
  treeSettings1: '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tworktreeconfig = true\n',
  included: '[core]\n\trepositoryformatversion = 0\n[include]\n\tpath = bare.inc\n',
  noConfig: 'no config\n',
  comment: '# [core] bare = true\n[core]\n\trepositoryformatversion = 0 ; zero\n\tbare = "false" # no\n',
  continued: '[core]\n\trepositoryformatversion = 0\n\tworktree = .\\\n.\n',
  remote: '[core]\n\trepositoryformatversion = 0\n[remote "o\\"x"]\n\turl = "a b;c"\n\tfetch = +refs/*:refs/x/*\n',
} as const

interface GitDir {
  readonly head: keyof typeof heads | 'link' | 'strayLink' | 'missing' | 'folder'
  readonly config: keyof typeof configs | 'missing' | 'folder'
  readonly lacks: 'nothing' | 'objects' | 'refs'
  readonly objectsAreLink: boolean
  /** Settings of one work tree in addition to the shared ones. */
  readonly own: 'missing' | 'bare' | 'notBare' | 'elsewhere' | 'other'
  readonly common: 'missing' | 'store' | 'nowhere' | 'empty'
  readonly foreign: boolean
}

/** Mostly the plain value, so that both code paths run. */
const usually = <Value>(value: Value, others: readonly Value[], weight = 25) =>
  fc.oneof({ weight, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: fc.constantFrom(...others) })

const rarely = <Value>(arbitrary: fc.Arbitrary<Value>, weight = 30) =>
  fc.oneof({ weight, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })

const namesOf = <Key extends string>(table: Readonly<Record<Key, string>>) => Object.keys(table) as Key[]

const gitDir: fc.Arbitrary<GitDir> = fc.record({
  head: usually<GitDir['head']>('branch', [...namesOf(heads), 'link', 'strayLink', 'missing', 'folder']),
  config: usually<GitDir['config']>('plain', [...namesOf(configs), 'missing', 'folder'], 3),
  lacks: usually<GitDir['lacks']>('nothing', ['objects', 'refs']),
  objectsAreLink: usually(false, [true]),
  own: usually<GitDir['own']>('missing', ['bare', 'notBare', 'elsewhere', 'other'], 4),
  common: usually<GitDir['common']>('missing', ['store', 'nowhere', 'empty']),
  foreign: usually(false, [true], 40),
})

interface DotGit {
  readonly kind: 'none' | 'folder' | 'link' | 'brokenLink' | 'file' | 'pipe' | 'emptyFolder'
  /** The target of a `.git` file. */
  readonly leads: 'store' | 'storeAbsolute' | 'linked' | 'nowhere' | 'here' | 'outOfStore'
  readonly form: 'plain' | 'noLineEnd' | 'crlf' | 'twoLines' | 'space' | 'noPath' | 'garbage' | 'empty' | 'bytes'
  readonly dir: GitDir
  readonly foreign: boolean
}

const dotGit: fc.Arbitrary<DotGit> = fc.record({
  kind: fc.oneof(
    { weight: 3, arbitrary: fc.constant('none' as const) },
    { weight: 6, arbitrary: fc.constant('folder' as const) },
    { weight: 4, arbitrary: fc.constant('file' as const) },
    { weight: 1, arbitrary: fc.constantFrom('link' as const, 'brokenLink', 'pipe', 'emptyFolder') },
  ),
  leads: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom<DotGit['leads']>('store', 'storeAbsolute', 'linked') },
    { weight: 1, arbitrary: fc.constantFrom<DotGit['leads']>('nowhere', 'here', 'outOfStore') },
  ),
  form: usually<DotGit['form']>('plain', [
    ...(['noLineEnd', 'crlf', 'twoLines', 'space', 'noPath', 'garbage', 'empty', 'bytes'] as const),
  ]),
  dir: gitDir,
  foreign: usually(false, [true], 40),
})

interface Folder {
  readonly name: string
  readonly dotGit: DotGit
  /** Makes the directory itself a bare repository. */
  readonly bare: GitDir | null
  readonly foreign: boolean
}

const folder: fc.Arbitrary<Folder> = fc.record({
  name: fc.constantFrom('a', 'b c', "it's", 'é', '-x', '\u{fffd}'),
  dotGit,
  bare: rarely(gitDir, 6),
  foreign: usually(false, [true], 40),
})

const safeDirectory = ['*', 'here', 'elsewhere', ''] as const
const safeBare = ['explicit', 'all', 'nonsense'] as const

const settings = fc.record({
  place: fc.constantFrom('global', 'included', 'count', 'parameters'),
  directory: fc.option(fc.constantFrom(...safeDirectory)),
  bare: fc.option(fc.constantFrom(...safeBare)),
})

const places = ['.git', 'store', 'linked', 'top', 'nowhere', 'dotGitAbove'] as const

const variables = fc.record({
  gitDir: rarely(fc.constantFrom('', ...places), 12),
  workTree: rarely(fc.constantFrom('', '..', 'top', 'nowhere')),
  commonDir: rarely(fc.constantFrom('', 'store', 'nowhere')),
  objectDir: rarely(fc.constantFrom('', 'store', 'nowhere')),
  ceilings: rarely(fc.array(fc.constantFrom('', '..', 'top', 'parent', 'linkToTop', '/'), { maxLength: 3 }), 12),
  implicitWorkTree: rarely(fc.constantFrom('0', '1', 'nonsense')),
  otherOwner: rarely(fc.constantFrom('0', '1')),
  acrossFileSystems: rarely(fc.constantFrom('0', '1')),
})

export interface Layout {
  readonly folders: readonly Folder[]
  readonly store: GitDir
  readonly storeIsBareByConfig: boolean
  readonly settings: { place: string; directory: string | null; bare: string | null } | null
  readonly variables: { [Key in keyof typeof variables]?: unknown } & Record<string, string | readonly string[] | null>
  /** The number of directories to descend, and the path to enter there. */
  readonly depth: number
  readonly below: '.' | 'empty' | '.git' | '.git/objects' | 'link'
}

const layout = fc.noBias(
  fc.record({
    folders: fc.array(folder, { minLength: 1, maxLength: 3 }),
    store: gitDir,
    storeIsBareByConfig: fc.boolean(),
    settings: rarely(settings, 2),
    variables,
    depth: usually(3, [0, 1, 2], 2),
    below: usually<Layout['below']>('.', ['empty', '.git', '.git/objects', 'link'], 6),
  }),
) as unknown as fc.Arbitrary<Layout>

/** A user id that runs no tests. */
const stranger = 54_321
const isRoot = process.getuid?.() === 0

interface Built {
  readonly cwd: string
  readonly env: Record<string, string>
}

/** Builds a layout in an empty directory. */
export function buildLayout({ environment }: Sandbox, root: string, layout: Layout): Built {
  const top = join(root, 'top')
  const store = join(root, 'store')
  makeGitDir(store, store, layout.storeIsBareByConfig ? { ...layout.store, config: 'bare' } : layout.store)
  const linked = join(store, 'worktrees/linked')
  mkdirSync(linked, { recursive: true })
  writeFileSync(join(linked, 'HEAD'), heads.branch)
  writeFileSync(join(linked, 'commondir'), '../..\n')
  mkdirSync(join(root, 'tree'))
  mkdirSync(top)
  symlinkSync(top, join(root, 'linkToTop'))
  const context = { root, store, linked }
  const paths = [top]
  for (const folder of layout.folders) {
    const path = join(paths.at(-1) ?? top, folder.name)
    mkdirSync(path)
    paths.push(path)
    makeFolder(path, folder, context)
  }
  const deepest = paths[Math.min(layout.depth, paths.length - 1)] ?? top
  const cwd = enter(deepest, layout.below)
  return { cwd, env: { ...environment, ...variablesOf(layout, { ...context, top, cwd }) } }
}

function makeGitDir(path: string, store: string, dir: GitDir): void {
  mkdirSync(path, { recursive: true })
  if (dir.head === 'link') symlinkSync('refs/heads/main', join(path, 'HEAD'))
  else if (dir.head === 'strayLink') symlinkSync('elsewhere', join(path, 'HEAD'))
  else if (dir.head === 'folder') mkdirSync(join(path, 'HEAD'))
  else if (dir.head !== 'missing') writeFileSync(join(path, 'HEAD'), heads[dir.head])
  if (dir.lacks !== 'refs') mkdirSync(join(path, 'refs'), { recursive: true })
  if (dir.lacks !== 'objects') {
    if (dir.objectsAreLink) symlinkSync('.', join(path, 'objects'))
    else mkdirSync(join(path, 'objects'))
  }
  if (dir.config === 'folder') mkdirSync(join(path, 'config'))
  else if (dir.config !== 'missing') writeFileSync(join(path, 'config'), configs[dir.config])
  writeFileSync(join(path, 'bare.inc'), '[core]\n\tbare = true\n\tworktree = /\n')
  const own = {
    bare: 'bare = true',
    notBare: 'bare = false',
    elsewhere: 'worktree = /',
    other: 'sparsecheckout = true',
  }
  if (dir.own !== 'missing') writeFileSync(join(path, 'config.worktree'), `[core]\n\t${own[dir.own]}\n`)
  const common = { store, nowhere: '/nowhere', empty: '' }
  if (dir.common !== 'missing' && path !== store) writeFileSync(join(path, 'commondir'), `${common[dir.common]}\n`)
  if (dir.foreign) disown(path)
}

function disown(path: string): void {
  if (isRoot) lchownSync(path, stranger, stranger)
}

interface Context {
  readonly root: string
  readonly store: string
  readonly linked: string
}

function makeFolder(path: string, folder: Folder, context: Context): void {
  if (folder.bare !== null) makeGitDir(path, context.store, folder.bare)
  makeDotGit(path, folder.dotGit, context)
  mkdirSync(join(path, 'empty'))
  if (folder.foreign) disown(path)
}

function makeDotGit(folder: string, { kind, leads, form, dir, foreign }: DotGit, context: Context): void {
  const path = join(folder, '.git')
  if (kind === 'folder') makeGitDir(path, context.store, dir)
  if (kind === 'emptyFolder') mkdirSync(path)
  if (kind === 'link') symlinkSync(context.store, path)
  if (kind === 'brokenLink') symlinkSync('nowhere', path)
  if (kind === 'pipe') spawnSync('mkfifo', [path])
  if (kind === 'file') {
    const targets = {
      store: `${'../'.repeat(folder.slice(context.root.length).split('/').length - 1)}store`,
      storeAbsolute: context.store,
      linked: context.linked,
      nowhere: '../nowhere',
      here: '.',
      outOfStore: context.root,
    }
    const line = `gitdir: ${targets[leads]}`
    const texts = {
      plain: `${line}\n`,
      noLineEnd: line,
      crlf: `${line}\r\n\r\n`,
      twoLines: `${line}\nmore\n`,
      space: `${line} \n`,
      noPath: 'gitdir: \n',
      garbage: 'garbage\n',
      empty: '',
      bytes: Buffer.concat([Buffer.from(line), Buffer.from([0xe9, 0x0a])]),
    }
    writeFileSync(path, texts[form])
  }
  if (foreign && kind !== 'none') disown(path)
}

/** Returns the working directory of the command; the directory itself when `below` does not exist. */
function enter(folder: string, below: Layout['below']): string {
  const way = join(folder, below === 'link' ? 'way' : below)
  if (below === 'link') symlinkSync('.', way)
  return existsSync(way) && statSync(way).isDirectory() ? way : folder
}

function variablesOf(layout: Layout, { root, store, linked, top, cwd }: Context & { top: string; cwd: string }) {
  const paths: Readonly<Record<string, string>> = {
    store,
    linked,
    top,
    nowhere: join(root, 'nowhere'),
    parent: join(cwd, '..'),
    linkToTop: join(root, 'linkToTop'),
    dotGitAbove: '../.git',
  }
  const pathOf = (name: string) => paths[name] ?? name
  const { variables, settings } = layout
  const env: Record<string, string> = {}
  const set = (name: string, value: unknown, format = pathOf) => {
    if (typeof value === 'string') env[name] = format(value)
  }
  set('GIT_DIR', variables.gitDir)
  set('GIT_WORK_TREE', variables.workTree)
  set('GIT_COMMON_DIR', variables.commonDir)
  set('GIT_OBJECT_DIRECTORY', variables.objectDir, (name) => (name === 'store' ? join(store, 'objects') : pathOf(name)))
  set('GIT_IMPLICIT_WORK_TREE', variables.implicitWorkTree)
  set('GIT_TEST_ASSUME_DIFFERENT_OWNER', variables.otherOwner)
  set('GIT_DISCOVERY_ACROSS_FILESYSTEM', variables.acrossFileSystems)
  if (Array.isArray(variables.ceilings)) env.GIT_CEILING_DIRECTORIES = variables.ceilings.map(pathOf).join(delimiter)
  if (settings !== null) Object.assign(env, settingsOf(settings, root, cwd))
  return env
}

function settingsOf({ place, directory, bare }: NonNullable<Layout['settings']>, root: string, cwd: string) {
  const directories: Readonly<Record<string, string>> = { here: cwd, elsewhere: root }
  const pairs: [string, string][] = []
  if (directory !== null) pairs.push(['safe.directory', directories[directory] ?? directory])
  if (bare !== null) pairs.push(['safe.bareRepository', bare])
  if (place === 'count') {
    const numbered = pairs.flatMap(([key, value], at) => [
      [`GIT_CONFIG_KEY_${at}`, key],
      [`GIT_CONFIG_VALUE_${at}`, value],
    ])
    return { GIT_CONFIG_COUNT: String(pairs.length), ...Object.fromEntries(numbered) }
  }
  if (place === 'parameters') {
    const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
    const areApart = !whyGitLacks('a key apart from its value in GIT_CONFIG_PARAMETERS')
    const words = pairs.map(([key, value]) => (areApart ? `${quote(key)}=${quote(value)}` : quote(`${key}=${value}`)))
    return { GIT_CONFIG_PARAMETERS: words.join(' ') }
  }
  const lines = pairs.map(([key, value]) => `[safe]\n\t${key.slice(5)} = "${value}"\n`).join('')
  const file = join(root, 'settings')
  writeFileSync(file, lines)
  if (place === 'global') return { GIT_CONFIG_GLOBAL: file }
  writeFileSync(join(root, 'including'), `[include]\n\tpath = ${file}\n`)
  return { GIT_CONFIG_GLOBAL: join(root, 'including') }
}

export interface Answer {
  readonly gitDir: string
  readonly commonDir: string
  readonly workTree: string | null
  readonly objectFormat: string
}

/** Returns git's answer; null when it finds no repository. */
export function answerOfGit({ cwd, env }: Built): Answer | null {
  const ask = (...options: string[]) => {
    const { status, stdout, stderr } = spawnSync('git', ['rev-parse', ...options], { cwd, env, encoding: 'utf8' })
    return { status, lines: stdout.split('\n'), stderr }
  }
  const { status, lines } = ask('--show-object-format', '--git-dir', '--git-common-dir')
  if (status !== 0) return null
  const [objectFormat = '', gitDir = '', commonDir = ''] = lines
  const real = (path: string) => {
    const whole = path.startsWith('/') ? path : join(realpathSync(cwd), path)
    return existsSync(whole) ? realpathSync(whole) : whole
  }
  const top = ask('--show-toplevel')
  if (top.status !== 0) assert.match(top.stderr, /must be run in a work tree/)
  const workTree = top.status === 0 ? real(top.lines[0] ?? '') : null
  return { gitDir: real(gitDir), commonDir: real(commonDir), workTree, objectFormat }
}

/** Returns grite's answer; `asksGit` when it had to run git for it. */
export async function answerOfGrite({ cwd, env }: Built): Promise<{ answer: Answer | null; asksGit: boolean }> {
  const find = async (path: string | undefined): Promise<Answer | null> => {
    try {
      const layout = await findRepository({ cwd, env: { ...env, PATH: path } })
      const { gitDir, commonDir, workTree, objectFormat } = layout
      return { gitDir, commonDir, workTree, objectFormat }
    } catch (error) {
      if (error instanceof GriteError && !(error instanceof GitError || error instanceof GitNotFoundError)) return null
      throw error
    }
  }
  try {
    return { answer: await find('/nowhere'), asksGit: false }
  } catch (error) {
    if (!(error instanceof GitNotFoundError)) throw error
    return { answer: await find(env.PATH), asksGit: true }
  }
}

/** Runs generated layouts and compares the answers. @returns how many layouts grite answered in each way */
export async function compareWithGit(sandbox: Sandbox, { runs, seed }: { runs: number; seed: number }) {
  let played = 0
  const counts = { plain: 0, asked: 0, none: 0 }
  await fc.assert(
    fc.asyncProperty(layout, async (each) => {
      const root = join(sandbox.dir, `layout-${played++}`)
      mkdirSync(root)
      try {
        const built = buildLayout(sandbox, root, each)
        const expected = answerOfGit(built)
        const { answer, asksGit } = await answerOfGrite(built)
        assert.deepEqual(answer, expected)
        if (answer === null) counts.none++
        else if (asksGit) counts.asked++
        else counts.plain++
      } finally {
        chmodSync(root, 0o755)
        rmSync(root, { recursive: true, force: true })
      }
    }),
    { numRuns: runs, seed },
  )
  return counts
}

const plainDir: GitDir = {
  head: 'branch',
  config: 'plain',
  lacks: 'nothing',
  objectsAreLink: false,
  own: 'missing',
  common: 'missing',
  foreign: false,
}

/** Every HEAD, config and `.git` file, each in an otherwise plain layout. */
export function singleOddities(): Readonly<Record<string, Layout>> {
  const dirs = Object.fromEntries([
    ...[...namesOf(heads), 'link', 'strayLink', 'missing', 'folder'].map((head) => [`HEAD ${head}`, { head }]),
    ...[...namesOf(configs), 'missing', 'folder'].map((config) => [`config ${config}`, { config }]),
  ]) as Record<string, Partial<GitDir>>
  const forms = ['plain', 'noLineEnd', 'crlf', 'twoLines', 'space', 'noPath', 'garbage', 'empty', 'bytes'] as const
  const dotGit: DotGit = { kind: 'folder', leads: 'store', form: 'plain', dir: plainDir, foreign: false }
  const layoutOf = (changed: Partial<DotGit>): Layout => ({
    folders: [{ name: 'a', dotGit: { ...dotGit, ...changed }, bare: null, foreign: false }],
    store: plainDir,
    storeIsBareByConfig: false,
    settings: null,
    variables: {},
    depth: 1,
    below: '.',
  })
  return Object.fromEntries([
    ...Object.entries(dirs).map(([name, dir]) => [name, layoutOf({ dir: { ...plainDir, ...dir } })]),
    ...forms.map((form) => [`.git file ${form}`, layoutOf({ kind: 'file', form })]),
  ])
}
