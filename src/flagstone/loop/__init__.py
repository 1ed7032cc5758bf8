"""One experiment: propose, run, measure, keep or leave, until a condition ends it."""
