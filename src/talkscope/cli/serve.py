"""`talkscope serve`: the Analytics API on a socket, for clients of one's own and for those of the hosted API."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from talkscope.cli import COMMANDS
from talkscope.cli.group import surroundings
from talkscope.server.logs import Sink, configure_logging, stderr


def command(name: str) -> click.Command:
    """The command `serve`."""
    folder = click.Path(path_type=Path, file_okay=False)
    return click.Command(
        name,
        callback=_serve,
        params=[
            click.Option(["--host"], default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Listen here."),
            click.Option(
                ["--port"], type=click.IntRange(0, 65_535), default=8765, show_default=True, help="0 takes a free one."
            ),
            click.Option(
                ["--expose"],
                is_flag=True,
                help="Allow a --host that other machines reach. Put TLS in front: keys travel as they are.",
            ),
            click.Option(
                ["--allow-host"], multiple=True, metavar="NAME", help="A name that it is reached by; repeat it."
            ),
            click.Option(
                ["--allow-origin"], multiple=True, metavar="ORIGIN", help="Origin of pages that may ask; repeat it."
            ),
            click.Option(
                ["--root"],
                type=folder,
                metavar="FOLDER",
                help="Folder of keys and accounts; without it, one in the user's data folder.",
            ),
            click.Option(["--no-keys"], is_flag=True, help="Serve one warehouse to this machine, without keys."),
            click.Option(["--warehouse"], type=folder, metavar="FOLDER", help="That warehouse."),
            click.Option(["--source"], metavar="NAME", help="That warehouse, by the name of a configured source."),
            click.Option(
                ["--access-log"],
                type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
                default="-",
                metavar="FILE",
                help="Where each request's line goes; - is stderr.  [default: -]",
            ),
            click.Option(
                ["--grace"],
                type=click.FloatRange(0, 600),
                default=10.0,
                show_default=True,
                metavar="SECONDS",
                help="How long running questions may go on after a signal to stop.",
            ),
        ],
        help="Serve the Analytics API over HTTP: the questions, and the contract of the hosted API's clients.\n\n"
        "It ends with 0 after SIGTERM or Ctrl-C, at once after a second one.\n\n"
        "\b\nExamples:\n  talkscope keys add --account acme\n  talkscope serve\n"
        "  talkscope serve --no-keys --warehouse calls",
        short_help=COMMANDS[name].says,
    )


def _serve(
    host: str,
    port: int,
    expose: bool,
    allow_host: tuple[str, ...],
    allow_origin: tuple[str, ...],
    root: Path | None,
    no_keys: bool,
    warehouse: Path | None,
    source: str | None,
    access_log: Path,
    grace: float,
) -> None:
    from talkscope import serving

    context = click.get_current_context()
    if no_keys and root is not None:
        raise click.UsageError("--no-keys and --root exclude each other.", context)
    if not no_keys and (warehouse is not None or source is not None):
        raise click.UsageError("--warehouse and --source go with --no-keys; keys have their account's.", context)
    place = serving.Place(host, port, allow_host, allow_origin, grace)
    if not place.on_loopback and not expose:
        raise click.UsageError(f"{host} can be reached from other machines. Add --expose if that is meant.", context)
    if not place.on_loopback:
        click.echo("Warning: keys and answers travel unencrypted. Put a proxy with TLS in front.", err=True)
    settings = surroundings(context).settings_for(warehouse)
    only = settings.warehouse(source).path if no_keys else None
    configure_logging()
    with _log(access_log) as sink:
        serving.serve(
            place,
            settings,
            root=None if no_keys else root or serving.own_root(),
            warehouse=only,
            log=sink.offer,
            started=lambda address: click.echo(f"Serving on {address}"),
        )


@contextmanager
def _log(file: Path) -> Iterator[Sink]:
    """What takes the lines of the access log, written when the block ends."""
    if str(file) == "-":
        yield stderr()
        stderr().flush(2)
        return
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    sink = Sink(fd)
    try:
        yield sink
    finally:
        sink.flush(2)
        os.close(fd)
