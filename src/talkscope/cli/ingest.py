"""`talkscope ingest`: loads files of telemetry into a warehouse, and tells what became of every record."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from talkscope.cli import COMMANDS
from talkscope.cli.group import surroundings
from talkscope.cli.show import as_json, grid, on_terminal
from talkscope.models.text import clean

REFUSED = 3
_LISTED = 20


def command(name: str) -> click.Command:
    """The command `ingest`."""
    return click.Command(name)
