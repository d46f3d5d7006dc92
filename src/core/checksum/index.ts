/**
 * CRCs of what is read in pieces, and of a whole from those of its parts: crc.ts computes, crc-combine.ts combines.
 * Tests: test/unit/core/checksum
 */
export {combineCrcs} from './crc-combine.js'
export {CRC32, CRC32C, CRC64NVME, type CrcKind, crcToBytes, type RunningCrc, startCrc} from './crc.js'
