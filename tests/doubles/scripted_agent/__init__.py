"""The agent `scripted`: it behaves, stage by stage and attempt by attempt, as a test says."""
