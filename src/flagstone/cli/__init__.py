"""The commands. Each module is one command; what they do lives in the packages below."""
