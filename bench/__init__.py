"""How much a core carries, and what the same duel costs elsewhere (`scripts/bench`, docs/performance.md)."""
