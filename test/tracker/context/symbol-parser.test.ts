import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { type Language, languages } from '../../../src/model/index.ts'
import { SymbolParser } from '../../../src/tracker/context/symbol-parser.ts'

/** For each language a text, and its symbols as `<name> <kind> <first line>-<last line>`. */
const samples: Readonly<Record<Language, readonly [text: string, symbols: readonly string[]]>> = {
  bash: ['f() {\n  echo\n}\nfunction g { echo; }\n', ['f function 1-3', 'g function 4-4']],
  c: [
    'struct s { int x; };\nstruct s *p;\ntypedef struct { int y; } T;\nenum e { A };\nint f(void)\n{\n  return 1;\n}\n',
    ['s struct 1-1', 'T type 3-3', 'e enum 4-4', 'f function 5-8'],
  ],
  cpp: [
    'namespace n {\nclass A { void m() {} };\nstruct S {};\nint f() { return 1; }\n}\nenum class Z {};\n',
    ['n namespace 1-5', 'A class 2-2', 'S struct 3-3', 'f function 4-4', 'Z enum 6-6'],
  ],
  csharp: [
    'namespace N {\nclass A { void M() {}\nA() {} }\nstruct S {}\ninterface I {}\nenum E { X }\nrecord R(int x);\n}',
    [
      ...['N namespace 1-8', 'A class 2-3', 'M method 2-2', 'A method 3-3', 'S struct 4-4', 'I interface 5-5'],
      ...['E enum 6-6', 'R class 7-7'],
    ],
  ],
  elixir: [
    'defmodule M.N do\n  def f(x), do: x\n  defp g(x) when x > 1 do\n    x\n  end\n  def h do 1 end\nend\n',
    ['M.N module 1-7', 'f function 2-2', 'g function 3-5', 'h function 6-6'],
  ],
  go: [
    'package m\ntype S struct {}\ntype I interface {}\ntype (\n\tA int\n\tB = string\n)\nfunc f() {}\nfunc (s S) m() {}\n',
    ['S struct 2-2', 'I interface 3-3', 'A type 5-5', 'B type 6-6', 'f function 8-8', 'm function 9-9'],
  ],
  java: [
    'class A {\nA() {}\nvoid m() {}\n}\ninterface I {}\nenum E {X}\nrecord R(int x) {}\n',
    ['A class 1-4', 'A method 2-2', 'm method 3-3', 'I interface 5-5', 'E enum 6-6', 'R class 7-7'],
  ],
  javascript: [
    'function f() {}\nclass A { m() {} }\nconst g = () => 1\nlet h = () => {\n}\nconst n = 1\n',
    ['f function 1-1', 'A class 2-2', 'g function 3-3', 'h function 4-5'],
  ],
  kotlin: [
    'class A {\nfun m() {}\n}\ninterface I\nenum class E { X }\nobject O\nfun f() {}\ntypealias T = Int\n',
    ['A class 1-3', 'm function 2-2', 'I interface 4-4', 'E enum 5-5', 'O class 6-6', 'f function 7-7', 'T type 8-8'],
  ],
  php: [
    '<?php\nfunction f() {}\nclass A { function m() {} }\ninterface I {}\ntrait T {}\nenum E { case A; }\n',
    ['f function 2-2', 'A class 3-3', 'm method 3-3', 'I interface 4-4', 'T trait 5-5', 'E enum 6-6'],
  ],
  python: [
    'class A:\n    def m(self):\n        pass\n\nasync def f():\n    def inner(): pass\n',
    ['A class 1-3', 'm function 2-3', 'f function 5-6', 'inner function 6-6'],
  ],
  ruby: [
    'module A\nclass C\ndef m; end\ndef self.s; end\nend\nend\n',
    ['A module 1-6', 'C class 2-5', 'm function 3-3', 's function 4-4'],
  ],
  rust: [
    'struct S;\nimpl S { fn m() {} }\nimpl<T> B for A<T> {}\nenum E {}\ntrait T {}\nconst C: u8 = 1;\nstatic D: u8 = 1;\ntype U = u8;\n',
    [
      ...['S struct 1-1', 'S impl 2-2', 'm function 2-2', 'E enum 4-4', 'T trait 5-5', 'C const 6-6'],
      ...['D static 7-7', 'U type 8-8'],
    ],
  ],
  scala: [
    'class A { def m() = 1 }\nobject O\ntrait T\ndef f() = 1\n',
    ['A class 1-1', 'm function 1-1', 'O class 2-2', 'T trait 3-3', 'f function 4-4'],
  ],
  swift: [
    'class A { func m() {} }\nstruct S {}\nenum E { case a }\nprotocol P {}\nextension A {}\nfunc f() {}\n',
    [
      ...['A class 1-1', 'm function 1-1', 'S struct 2-2', 'E enum 3-3', 'P interface 4-4', 'A impl 5-5'],
      'f function 6-6',
    ],
  ],
  typescript: [
    'export function f(): void {}\nabstract class A {}\ninterface I {}\ntype T = I\nenum E {}\nexport const g = async () => {\n}\nconst n = 1\n',
    ['f function 1-1', 'A class 2-2', 'I interface 3-3', 'T type 4-4', 'E enum 5-5', 'g function 6-7'],
  ],
  typescriptreact: ['const View = () => <b>x</b>\nclass A {}\n', ['View function 1-1', 'A class 2-2']],
  zig: [
    'pub fn f() void {}\nconst S = struct {\n};\nconst E = enum { a };\nconst x = 1;\n',
    ['f function 1-1', 'S struct 2-3', 'E enum 4-4'],
  ],
}

describe('symbols', () => {
  let parser: SymbolParser
  before(async () => {
    // As in the threads that parse.
    setFlagsFromString('--liftoff-only')
    parser = await SymbolParser.create()
  })

  const symbolsOf = async (language: Language, text: string) => {
    const result = await parser.parse(language, text)
    assert.ok('symbols' in result, JSON.stringify(result))
    return result.symbols.map(({ name, kind, lineStart, lineEnd }) => `${name} ${kind} ${lineStart}-${lineEnd}`)
  }

  for (const language of languages) {
    test(`of ${language}`, async () => {
      const [text, symbols] = samples[language]
      assert.deepEqual(await symbolsOf(language, text), symbols)
    })
  }

  test('of a text with errors are those that can be seen', async () => {
    assert.deepEqual(await symbolsOf('typescript', 'function f() {}\nclass { ((\n'), ['f function 1-1'])
    assert.deepEqual(await symbolsOf('python', '\u0000\u0001 def'), [])
  })

  test('of deep nesting and of a long line take bounded time', async () => {
    const hurried = await SymbolParser.create({ parseMsMax: 100 })
    for (const text of ['('.repeat(1 << 20), '[{'.repeat(1 << 19), `x = ${'1 + '.repeat(1 << 18)}1`]) {
      const result = await hurried.parse('javascript', text)
      assert.ok('problem' in result || result.symbols.length === 0)
    }
    const after = await hurried.parse('javascript', 'function f() {}')
    assert.ok('symbols' in after && after.symbols.length === 1)
  })

  test('beyond any file of people are too many', async () => {
    assert.deepEqual(await parser.parse('javascript', 'function f() {}\n'.repeat(10_001)), {
      problem: 'too many symbols',
    })
  })

  test('with names that are no names are left out', async () => {
    assert.deepEqual(await symbolsOf('javascript', `function ${'a'.repeat(257)}() {}\nfunction b() {}`), [
      'b function 2-2',
    ])
  })
})
