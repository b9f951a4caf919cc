"""A command line program: @NAME@ NAME <MESSAGE"""

import sys

if len(sys.argv) != 2 or not sys.argv[1].strip():
    print("@NAME@: whom shall I greet?", file=sys.stderr)
    sys.exit(2)
print(f"Hello, {sys.argv[1]}!")
sys.stdout.write(sys.stdin.read())
