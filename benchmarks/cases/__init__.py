"""The sums over rows that `benchmarks.kernel` measures; each method of a case returns a function → (cost, gradient)."""
