/** `this.exit(code)` of oclif, which is no error. */
export function isExit(thrown: unknown): thrown is {readonly oclif: {readonly exit: number}} {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIT' && 'oclif' in thrown
}
