"""descend beside its peers: `python -m benchmarks` prints a table each; see docs/benchmarks.md."""
