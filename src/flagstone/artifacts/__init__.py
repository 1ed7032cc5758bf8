"""What a stage leaves behind: its summary, its files, and whether both are what they claim to be."""
