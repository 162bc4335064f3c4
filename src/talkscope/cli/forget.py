"""`talkscope forget`: erases one end user, everywhere in a warehouse."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from talkscope.cli import COMMANDS
from talkscope.cli.group import surroundings
from talkscope.models.text import clean, so_many


def command(name: str) -> click.Command:
    """The command `forget`."""
    return click.Command(
        name,
        callback=_forget,
        params=[
            click.Option(["--end-user"], required=True, metavar="ID", help="The id, as the records have it."),
            click.Option(["--platform"], metavar="NAME", help="Only records of this platform."),
            click.Option(["--source"], metavar="NAME", help="Which configured source is changed."),
            click.Option(
                ["--warehouse"], type=click.Path(path_type=Path, file_okay=False), metavar="PATH",
                help="Change the warehouse in this folder.",
            ),
            click.Option(["--yes"], is_flag=True, help="Do not ask."),
        ],
        help="Erase every record of one end user's sessions. This cannot be undone.",
        short_help=COMMANDS[name].says,
    )  # fmt: skip


def _forget(end_user: str, platform: str | None, source: str | None, warehouse: Path | None, yes: bool) -> None:
    from talkscope.jobs.forget import forget

    context = click.get_current_context()
    settings = surroundings(context).settings_for(warehouse)
    folder = settings.warehouse(source).path
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            raise click.UsageError("Nothing is erased without --yes when nobody can be asked.", context)
        where = f" of {clean(platform)}" if platform else ""
        question = f"Erase everything about end user {clean(end_user)}{where} in {folder}?"
        if not click.confirm(question, err=True):
            click.echo("Nothing was erased.")
            context.exit(1)
    erased = forget(folder, end_user, platform=platform, memory_limit=settings.memory_limit, threads=settings.threads)
    told = ", ".join(so_many(count, kind) for kind, count in erased.items() if count)
    click.echo(f"Erased: {told}." if told else "Nothing was erased: no record names this end user.")
