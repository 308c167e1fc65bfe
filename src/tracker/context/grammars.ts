/**
 * How each language is parsed: its grammar and the query that finds its symbols (spec §6.10; of the languages that it does not know,
 * the same kinds). A pattern captures the definition under the kind of the symbol, and its name as `name`.
 */
import type { Language } from '../../model/index.ts'

export interface Grammar {
  /** Name of the compiled grammar, without `tree-sitter-` and `.wasm`. */
  readonly file: string
  readonly query: string
}

const script = `
(function_declaration name: (identifier) @name) @function
(class_declaration name: (_) @name) @class
(lexical_declaration (variable_declarator name: (identifier) @name value: (arrow_function)) @function)`

const typescript = `${script}
(abstract_class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @interface
(type_alias_declaration name: (_) @name) @type
(enum_declaration name: (_) @name) @enum`

const c = `
(function_definition declarator: (function_declarator declarator: (identifier) @name)) @function
(struct_specifier name: (type_identifier) @name body: (_)) @struct
(enum_specifier name: (type_identifier) @name body: (_)) @enum`

export const grammars: Readonly<Record<Language, Grammar>> = {
  bash: { file: 'bash', query: '(function_definition name: (word) @name) @function' },
  c: { file: 'c', query: `${c}\n(type_definition declarator: (type_identifier) @name) @type` },
  cpp: {
    file: 'cpp',
    query: `${c}
(class_specifier name: (type_identifier) @name body: (_)) @class
(namespace_definition name: (_) @name) @namespace`,
  },
  csharp: {
    file: 'c_sharp',
    query: `
(class_declaration name: (identifier) @name) @class
(record_declaration name: (identifier) @name) @class
(struct_declaration name: (identifier) @name) @struct
(interface_declaration name: (identifier) @name) @interface
(enum_declaration name: (identifier) @name) @enum
(delegate_declaration name: (identifier) @name) @type
(method_declaration name: (identifier) @name) @method
(constructor_declaration name: (identifier) @name) @method
(namespace_declaration name: (_) @name) @namespace`,
  },
  elixir: {
    file: 'elixir',
    query: `
(call target: (identifier) @keyword (arguments (alias) @name) (#eq? @keyword "defmodule")) @module
(call target: (identifier) @keyword (arguments (call target: (identifier) @name)) (#any-of? @keyword "def" "defp")) @function
(call target: (identifier) @keyword (arguments (identifier) @name) (#any-of? @keyword "def" "defp")) @function
(call target: (identifier) @keyword
  (arguments (binary_operator left: (call target: (identifier) @name))) (#any-of? @keyword "def" "defp")) @function
(call target: (identifier) @keyword
  (arguments (binary_operator left: (identifier) @name)) (#any-of? @keyword "def" "defp")) @function`,
  },
  go: {
    file: 'go',
    query: `
(function_declaration name: (identifier) @name) @function
(method_declaration name: (field_identifier) @name) @function
(type_spec name: (type_identifier) @name type: (struct_type)) @struct
(type_spec name: (type_identifier) @name type: (interface_type)) @interface
(type_spec name: (type_identifier) @name) @type
(type_alias name: (type_identifier) @name) @type`,
  },
  java: {
    file: 'java',
    query: `
(method_declaration name: (identifier) @name) @method
(constructor_declaration name: (identifier) @name) @method
(class_declaration name: (identifier) @name) @class
(record_declaration name: (identifier) @name) @class
(interface_declaration name: (identifier) @name) @interface
(annotation_type_declaration name: (identifier) @name) @interface
(enum_declaration name: (identifier) @name) @enum`,
  },
  javascript: { file: 'javascript', query: script },
  kotlin: {
    file: 'kotlin',
    query: `
(class_declaration "interface" (type_identifier) @name) @interface
(class_declaration (type_identifier) @name (enum_class_body)) @enum
(class_declaration "class" (type_identifier) @name) @class
(object_declaration (type_identifier) @name) @class
(function_declaration (simple_identifier) @name) @function
(type_alias (type_identifier) @name) @type`,
  },
  php: {
    file: 'php',
    query: `
(function_definition name: (name) @name) @function
(method_declaration name: (name) @name) @method
(class_declaration name: (name) @name) @class
(interface_declaration name: (name) @name) @interface
(trait_declaration name: (name) @name) @trait
(enum_declaration name: (name) @name) @enum
(namespace_definition name: (_) @name) @namespace`,
  },
  python: {
    file: 'python',
    query: `
(function_definition name: (identifier) @name) @function
(class_definition name: (identifier) @name) @class`,
  },
  ruby: {
    file: 'ruby',
    query: `
(method name: (_) @name) @function
(singleton_method name: (_) @name) @function
(class name: (_) @name) @class
(module name: (_) @name) @module`,
  },
  rust: {
    file: 'rust',
    query: `
(function_item name: (identifier) @name) @function
(struct_item name: (type_identifier) @name) @struct
(enum_item name: (type_identifier) @name) @enum
(trait_item name: (type_identifier) @name) @trait
(impl_item type: (type_identifier) @name) @impl
(const_item name: (identifier) @name) @const
(type_item name: (type_identifier) @name) @type
(static_item name: (identifier) @name) @static`,
  },
  scala: {
    file: 'scala',
    query: `
(class_definition name: (identifier) @name) @class
(object_definition name: (identifier) @name) @class
(trait_definition name: (identifier) @name) @trait
(function_definition name: (identifier) @name) @function
(type_definition name: (type_identifier) @name) @type`,
  },
  swift: {
    file: 'swift',
    query: `
(class_declaration declaration_kind: "struct" name: (type_identifier) @name) @struct
(class_declaration declaration_kind: "enum" name: (type_identifier) @name) @enum
(class_declaration declaration_kind: "extension" name: (_) @name) @impl
(class_declaration name: (type_identifier) @name) @class
(protocol_declaration name: (type_identifier) @name) @interface
(function_declaration name: (simple_identifier) @name) @function
(typealias_declaration name: (type_identifier) @name) @type`,
  },
  typescript: { file: 'typescript', query: typescript },
  typescriptreact: { file: 'tsx', query: typescript },
  zig: {
    file: 'zig',
    query: `
(function_declaration name: (identifier) @name) @function
(variable_declaration (identifier) @name (struct_declaration)) @struct
(variable_declaration (identifier) @name (enum_declaration)) @enum
(variable_declaration (identifier) @name (union_declaration)) @type`,
  },
}
