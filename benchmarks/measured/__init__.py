"""What the benchmarks share: a throw-away project, and rounds in which floor and ours take turns."""
