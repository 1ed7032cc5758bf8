"""The loop: propose, measure, decide, record."""
