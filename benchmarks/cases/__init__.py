"""The sums over rows that `benchmarks.rows` measures; each method of a case returns a function → (cost, gradient)."""
