"""Any other command line as an agent, described by a template."""
