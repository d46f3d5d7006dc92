/** The assemblies of a process: all of them, by the generation whose chunks they take, and by path. */
import type {Assembly} from './assembly.js'

export class AssemblyRegistry implements Iterable<Assembly> {
  private readonly assemblies = new Set<Assembly>()
  /** The one that takes the chunks of a generation: the newest, when the same content was uploaded again. */
  private readonly current = new Map<string, Assembly>()
  /** Usually one, more while generations overlap. */
  private readonly byPath = new Map<string, Set<Assembly>>()

  get size(): number {
    return this.assemblies.size
  }

  has(assembly: Assembly): boolean {
    return this.assemblies.has(assembly)
  }

  ofGeneration(key: string): Assembly | undefined {
    return this.current.get(key)
  }

  ofPath(path: string): Iterable<Assembly> {
    return this.byPath.get(path) ?? []
  }

  withRecordsIn(partitions: ReadonlySet<number>): Assembly[] {
    return [...this.assemblies].filter(({offsets}) => [...offsets.keys()].some((p) => partitions.has(p)))
  }

  add(assembly: Assembly): void {
    this.assemblies.add(assembly)
    this.current.set(assembly.key, assembly)
    const generations = this.byPath.get(assembly.path)
    if (generations) generations.add(assembly)
    else this.byPath.set(assembly.path, new Set([assembly]))
  }

  delete(assembly: Assembly): void {
    this.assemblies.delete(assembly)
    if (this.current.get(assembly.key) === assembly) this.current.delete(assembly.key)
    const generations = this.byPath.get(assembly.path)
    generations?.delete(assembly)
    if (generations?.size === 0) this.byPath.delete(assembly.path)
  }

  [Symbol.iterator](): Iterator<Assembly> {
    return this.assemblies[Symbol.iterator]()
  }
}
