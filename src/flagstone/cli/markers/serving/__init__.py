"""The commands of `flagstone marker` about schedules and repositories."""
