"""Who proposes edits: an agent, a script, or a search over numbers."""
