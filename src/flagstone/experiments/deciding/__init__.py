"""Is it better: noise, spending, verdicts, stopping."""
