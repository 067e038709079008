"""A work order's life: steps, deadlines, changes, and the journal while the store is away."""
