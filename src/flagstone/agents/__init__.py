"""Agents that do the work: one protocol, several drivers."""
