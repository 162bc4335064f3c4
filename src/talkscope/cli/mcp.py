"""`talkscope mcp`: the server on stdin and stdout, for hosts.

A host's own `talkscope mcp` never comes here: `__main__` starts the server without the command line, which costs time.
This command is for the help, and for words around it such as `talkscope mcp --help`.
"""

from __future__ import annotations

import click

from talkscope.cli import COMMANDS


def command(name: str) -> click.Command:
    """The command `mcp`."""
    return click.Command(
        name,
        callback=_serve,
        help="Serve the questions as tools over MCP on stdin and stdout, until the host leaves.\n\n"
        'For a host: {"command": "talkscope", "args": ["mcp"], "env": {"TALKSCOPE_WAREHOUSE": "/folder/of/warehouse"}}',
        short_help=COMMANDS[name].says,
    )


def _serve() -> None:
    from talkscope.server import app

    app.main()
