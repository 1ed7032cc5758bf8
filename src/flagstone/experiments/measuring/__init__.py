"""Run one candidate under the watchdog and read its number."""
