"""A command-line program: `tool NAME` greets a person."""

import sys

if len(sys.argv) != 2:
    sys.exit("usage: tool NAME")
print(f"Hello, {sys.argv[1]}!")
