"""Overrides globals of the script that executes this: by Python files, then by --key=value."""

import sys
from ast import literal_eval

for arg in sys.argv[1:]:
    if "=" not in arg:
        exec(open(arg).read())
        continue
    key, value = arg[2:].split("=")
    if key not in globals():
        raise ValueError(f"unknown key {key}")
    try:
        value = literal_eval(value)
    except (SyntaxError, ValueError):
        pass
    assert type(value) is type(globals()[key])
    globals()[key] = value
