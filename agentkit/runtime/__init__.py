"""What carries a run: concurrency, sampling, the journal, budgets and the stack that binds a model to its place."""
