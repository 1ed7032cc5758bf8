"""What Snakemake's scripts call."""
