"""``python -m engram``: the command line."""

import sys

from engram.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
