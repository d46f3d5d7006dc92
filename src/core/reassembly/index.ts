/**
 * From chunks in any order to files in order.
 *
 *     chunk -> the assembly of its generation -> rebuild: its turn? -> writer, hash
 *        └ a late copy of what is over: stray               ahead   -> reorder buffer (memory, then spill)
 *     last byte written -> finish queue -> size and SHA-512 verified -> destination.finish -> outcome
 *
 * A generation is one upload of one path: path + SHA-512 + how it is cut + upload id, if any.
 * Generations of a path never mix. They are ordered (generation-order.ts); delivering one closes every older open
 * one as superseded, and none is finished after a newer one was, unless all are wanted.
 *
 * An assembly concludes with an outcome: by itself, or from outside (closeOpen) when its missing chunks are not waited
 * for any longer. What is over is remembered for a while (concluded-generations.ts). One whose outcome leaves its
 * records open (held, failed) stays and takes the offsets of further copies.
 *
 *     open -> complete -> concluded
 *        └──────┴──> given up, without an outcome: its partitions went to another member, or its records are to be
 *                    read once more. Its offsets stay open, and whoever reads them begins it anew.
 *
 * Files: reassembly.ts routes and concludes; assembly.ts is one generation, which records and chunks it has;
 * rebuild.ts its bytes; finish-queue.ts what is complete and waits.
 *
 * Guarantees
 * - A destination is given bytes strictly in file order, each exactly once per assembly, and is asked to finish
 *   only after size and SHA-512 have been verified; nothing unverified becomes visible.
 * - Every record that was accepted belongs to exactly one assembly (or was a stray), and its offset is reported
 *   with that assembly's outcome: nothing is done that has no outcome.
 * - Duplicates change nothing but the offsets that the outcome covers, while their generation is open or remembered;
 *   later ones open it again, and are recognised from outside (pipelines/delivery/late-copies.ts).
 * - Data in memory is bounded by the budgets; what describes open files grows with their number. Only work that ends
 *   without another record (writing, finishing) makes the caller wait, so no order of arrival can deadlock.
 *
 * Tests: test/unit/core/reassembly, test/unit/pipelines, and the laws in test/property.
 */
export {type Conclusion, type ConcludedOutcome, type OpenFile} from './assembly.js'
export {compareGenerations, isOlderThanHeld} from './generation-order.js'
export {generationKey, orderOf} from './generation.js'
export {uploadKey} from './upload-key.js'
export {Reassembly, type ClosingOutcome, type ReassemblyOptions} from './reassembly.js'
export type {RobbedFile} from './unread-files.js'
