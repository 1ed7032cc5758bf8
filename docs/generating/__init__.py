"""What docs/generate.py writes the reference with: pages from schemas, pages from code, and pictures."""
