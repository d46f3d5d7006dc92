/** Zigzag numbers in groups of seven bits, lowest first: 0, -1, 1, -2 become 0, 1, 2, 3. */
import type {Buffer} from 'node:buffer'

const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0
/** For what may need more than 32 bits; exact to 2^52 either way. */
const zigzagLong = (value: number): number => (value >= 0 ? value * 2 : -value * 2 - 1)

export const sizeOfVarint = (value: number): number => sizeOf(zigzag(value))
export const sizeOfVarlong = (value: number): number => sizeOf(zigzagLong(value))

/** @returns the position behind it */
export const writeVarint = (target: Buffer, value: number, position: number): number =>
  write(target, zigzag(value), position)
export const writeVarlong = (target: Buffer, value: number, position: number): number =>
  write(target, zigzagLong(value), position)

function sizeOf(unsigned: number): number {
  let size = 1
  for (let rest = unsigned; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}

function write(target: Buffer, unsigned: number, position: number): number {
  let rest = unsigned
  for (; rest >= 128; rest = Math.floor(rest / 128)) target[position++] = (rest % 128) | 0x80
  target[position++] = rest
  return position
}
