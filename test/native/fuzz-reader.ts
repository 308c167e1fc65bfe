/** Feeds damaged answers of a daemon to the frame reader of the launcher. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { answers, encodeFrame, type Frame, welcome } from '../support/fake-daemon.ts'
import { mutate, pick, type Random } from '../support/mutate.ts'
import type { WireValue } from '../support/wire-cbor.ts'
import { compileNative } from './compile-launcher.ts'

const { accepted, refused, stdout, stderr, wantStdin, exit } = answers(1)
const extra: WireValue = new Map<string, WireValue>([['a', [1, -1, 2 ** 40, 1.5, true, null, new Uint8Array(3), 'ü']]])

/** Answers as a daemon gives them, and what the launcher does with each. */
const recorded: readonly { readonly frames: readonly Frame[]; readonly effect: RegExp }[] = [
  { frames: [welcome, accepted, stdout('a line\n'), exit(0)], effect: /^exit 0 7 \w+ 0 0$/ },
  { frames: [welcome, refused('local')], effect: /^local 0 0 0 0 0$/ },
  { frames: [welcome, accepted, stderr('x'.repeat(300)), stdout(''), stdout('y'), exit(255)], effect: /^exit 255 1 / },
  { frames: [welcome, accepted, wantStdin, wantStdin, [192, 7, 'EventApplied', extra], exit(1)], effect: /^exit 1 0 / },
  { frames: [[...welcome, extra], [...accepted, extra], [...stdout('z'), extra], exit(3)], effect: /^exit 3 1 / },
  { frames: [welcome, accepted, stdout(Buffer.alloc(70_000, 1)), exit(0)], effect: /^exit 0 70000 / },
  { frames: [welcome, accepted, stdout('cut off')], effect: /^lost 0 7 / },
]

export const recordedAnswers = recorded.map(({ frames }) => Buffer.concat(frames.map(encodeFrame)))

/**
 * Runs damaged answers through the reader, and fails when it reads beyond a frame, or when an answer has another effect when it
 * comes in other pieces.
 *
 * @param count - number of answers
 * @returns how often the launcher exits, runs grite because it was refused, or has lost the daemon
 */
export function fuzzReader(random: Random, count: number): Readonly<Record<Effect, number>> {
  const damaged = Array.from({ length: count }, () => damage(random, recordedAnswers))
  const lines = runReader([...recordedAnswers, ...damaged])
  recorded.forEach(({ effect }, index) => {
    assert.match(lines[index] ?? '', effect)
  })
  const counts = { exit: 0, local: 0, lost: 0 }
  for (const line of lines.slice(recorded.length)) {
    const [effect, status = '', out = '', , err = ''] = line.split(' ')
    assert.ok(effect === 'exit' || effect === 'local' || effect === 'lost', line)
    assert.ok(+status >= 0 && +status <= 255 && +out + +err < 2 ** 20, line)
    counts[effect]++
  }
  return counts
}

/** The reader of native/fuzz.c takes up to 1 MiB. */
const answerBytesMax = 2 ** 19

type Effect = 'exit' | 'local' | 'lost'

/** Damages an answer anywhere, or one of its frames while the lengths stay right, or the order of its frames. */
export function damage(random: Random, files: readonly Buffer[]): Buffer {
  if (random(8) === 0) return mutate(random, files, false).subarray(0, answerBytesMax)
  const contents = splitFrames(pick(random, files))
  const at = random(contents.length)
  const changed = changeFrame(random, contents[at] ?? Buffer.alloc(0), files)
  return Buffer.concat(contents.toSpliced(at, 1, ...changed).flatMap(withLength))
}

/** Returns what takes the place of a frame. */
function changeFrame(random: Random, content: Buffer, files: readonly Buffer[]): readonly Buffer[] {
  const byte = random(content.length)
  switch (random(6)) {
    case 0:
      return [mutate(random, [content], false)]
    case 1:
      return [content.map((value, index) => (index === byte ? value ^ (1 << random(8)) : value)) as Buffer]
    case 2:
      return []
    case 3:
      return [content, content]
    case 4:
      return [pick(random, splitFrames(pick(random, files))), content]
    default:
      return [content.map((value, index) => (index === byte ? random(256) : value)) as Buffer]
  }
}

function splitFrames(file: Buffer): Buffer[] {
  const contents: Buffer[] = []
  for (let at = 0; at < file.length; at += 4 + file.readUInt32BE(at))
    contents.push(file.subarray(at + 4, at + 4 + file.readUInt32BE(at)))
  return contents
}

function withLength(content: Buffer): Buffer[] {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return [length, content]
}

function runReader(files: readonly Buffer[]): string[] {
  const { status, stdout, stderr } = spawnSync(compileNative('fuzz.c'), {
    input: Buffer.concat(files.flatMap(withLength)),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  const lines = stdout.split('\n').slice(0, -1)
  const which = files[lines.at(-1)?.startsWith('differs') ? lines.length - 1 : lines.length]
  assert.deepEqual(
    [status, stderr],
    [0, ''],
    `${lines.at(-1)}; the answer: ${which?.subarray(0, 4000).toString('hex')}`,
  )
  assert.equal(lines.length, files.length)
  return lines
}
