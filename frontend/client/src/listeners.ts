// Who wants to hear of something.

export class Listeners<What> {
  private readonly all = new Set<(what: What) => void>();

  /** Add one; what is returned takes it away. */
  add(listener: (what: What) => void): () => void {
    this.all.add(listener);
    return () => void this.all.delete(listener);
  }

  /** Tell all. Whoever comes or goes because of it changes nothing of this time. */
  tell(what: What): void {
    for (const listener of [...this.all]) listener(what);
  }
}
