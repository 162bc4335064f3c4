"""`talkscope` and `python -m talkscope`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line, and return the exit code; `talkscope mcp` goes straight to the server, for a host waits."""
    if sys.argv[1:] == ["mcp"]:
        from talkscope.server import app

        app.main()
    from talkscope import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
