/**
 * A setting: one thing a user can say, and where they can say it. One definition makes the flag, the environment
 * variable, the configuration key, the line in --help and the row in docs/configuration.md.
 *
 * Nothing is `required` or defaulted in oclif's own flags: a value may come from any layer, so completeness is
 * checked after all of them were merged (resolve.ts). This file is loaded for `--help` and stays free of imports.
 */

/** How a value is written, and what it becomes; schema.ts holds the meaning of each. */
export type SettingKind =
  | 'text'
  | 'list'
  | 'toggle'
  | 'integer'
  | 'decimal'
  | 'number'
  | 'size'
  | 'duration'
  | 'choice'
  | 'pairs'
  | 'path'
  | 'pem'
  | 'secret'

interface SettingFacts {
  /** One line for --help. */
  readonly summary: string
  /** The heading it stands under in --help and in the documentation. */
  readonly group: string
  /** What --help shows in place of the value. */
  readonly placeholder?: string
  readonly char?: 'X'
  /** As a user would write it, so that a default is read by the same rules as any value. */
  readonly default?: string
  /** The command cannot run without it. */
  readonly required?: true
  /** The largest number that makes sense. */
  readonly max?: number
  /** The smallest; 0 unless given, but for `number`. */
  readonly min?: number
  /** An example value for the message that says it is missing. */
  readonly example?: string
  /** May stand at the top of a configuration file, for all commands. Others stand under their command's name. */
  readonly common?: true
  /** Where else it stands in a configuration file: `process.options`. */
  readonly section?: string
}

declare const valueType: unique symbol

export interface Setting<Value = unknown, Present extends boolean = boolean> extends SettingFacts {
  readonly kind: SettingKind
  readonly placeholder: string
  readonly choices?: readonly string[]
  /** Exists for the type checker only. */
  readonly [valueType]?: readonly [Value, Present]
}

export type Settings = Readonly<Record<string, Setting>>

/** What the settings of a command are once resolved: undefined only where nothing is required or defaulted. */
export type Values<S extends Settings> = {
  readonly [Name in keyof S]: S[Name] extends Setting<infer Value, infer Present>
    ? Present extends true
      ? Value
      : Value | undefined
    : never
}

type IsPresent<F> = F extends {default: string} | {required: true} ? true : false

const builder =
  <Value>(kind: SettingKind, placeholder: string) =>
  <const F extends SettingFacts>(facts: F): Setting<Value, IsPresent<F>> => ({kind, placeholder, ...facts})

export const text = builder<string>('text', 'TEXT')
export const list = builder<readonly string[]>('list', 'TEXT')
export const toggle = builder<boolean>('toggle', '')
export const integer = builder<number>('integer', 'N')
export const decimal = builder<number>('decimal', 'N')
/** Any number, also below 0. */
export const number = builder<number>('number', 'N')
/** In bytes. */
export const size = builder<number>('size', 'SIZE')
/** In milliseconds. */
export const duration = builder<number>('duration', 'DURATION')
export const pairs = builder<Readonly<Record<string, string>>>('pairs', 'KEY=VALUE')
/** Absolute; in a configuration file relative to that file. */
export const path = builder<string>('path', 'PATH')
/** An absolute path, or the PEM text itself when it begins with `-----BEGIN`. */
export const pem = builder<string>('pem', 'FILE')
export const secret = builder<Secret>('secret', 'SECRET')

export const choice = <const C extends readonly string[], const F extends SettingFacts>(
  choices: C,
  facts: F,
): Setting<C[number], IsPresent<F>> => ({kind: 'choice', placeholder: choices.join('|'), ...facts, choices})

/** A value that prints as `***` wherever it is put, until somebody asks for it by name. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK
  }
}

export const MASK = '***'

/** `pathPrefix` -> `path-prefix`: the flag without its dashes, and the configuration key. */
export const keyName = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** `pathPrefix` -> `--path-prefix` */
export const flagName = (name: string) => `--${keyName(name)}`

/** `pathPrefix` -> `STREAMTOOL_PATH_PREFIX` */
export const variableName = (name: string) => `STREAMTOOL_${keyName(name).replaceAll('-', '_').toUpperCase()}`

/** Configuration keys may be written `path-prefix` or `pathPrefix`. */
export const sameKey = (written: string, name: string) => written === name || written === keyName(name)
