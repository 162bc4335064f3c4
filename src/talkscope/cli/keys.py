"""`talkscope keys`: the keys of a served API. A key is shown once, when it is made; only its hash is kept."""

from __future__ import annotations

from pathlib import Path

import click

from talkscope.cli import COMMANDS
from talkscope.cli.show import as_json, grid, on_terminal
from talkscope.errors import Json

_COLUMNS = ("id", "account", "plan", "per_minute", "per_day", "per_month", "created", "last_used", "revoked")


def command(name: str) -> click.Command:
    """The group `keys`."""
    return click.Group(
        name,
        help="Add, list and revoke the keys of `talkscope serve`.",
        short_help=COMMANDS[name].says,
        commands={"add": _add_command(), "list": _list_command(), "revoke": _revoke_command()},
    )


def _root() -> click.Option:
    return click.Option(
        ["--root"],
        type=click.Path(path_type=Path, file_okay=False),
        metavar="FOLDER",
        help="Folder of keys and accounts; without it, one in the user's data folder.",
    )


def _limit(window: str) -> click.Option:
    return click.Option(
        [f"--per-{window}"],
        type=click.IntRange(0, 1_000_000_000),
        metavar="N",
        help=f"Calls a {window}, instead of the plan's; 0 is without a limit.",
    )


def _add_command() -> click.Command:
    return click.Command(
        "add",
        callback=_add,
        params=[
            click.Option(
                ["--account"], required=True, metavar="NAME", help="Whose key it is; made where there is none."
            ),
            click.Option(
                ["--plan"],
                default="business",
                metavar="NAME",
                help="none, free, starter, scale, business or enterprise.  [default: business]",
            ),
            click.Option(
                ["--warehouse"],
                type=click.Path(path_type=Path, file_okay=False),
                metavar="FOLDER",
                help="A new account's warehouse; without it, accounts/NAME below the root.",
            ),
            *map(_limit, ("minute", "day", "month")),
            _root(),
            _json(),
        ],
        help="Make a key and show it, once: nothing that is stored leads back to it.\n\n"
        "\b\nExample:\n  talkscope keys add --account acme --plan scale --per-minute 120",
        short_help="Make a key",
    )


def _list_command() -> click.Command:
    return click.Command(
        "list",
        callback=_list,
        params=[_root(), _json()],
        help="Every key that was made: its id, account, plan and limits, when it was used last, when it was revoked.",
        short_help="Show the keys there are",
    )


def _revoke_command() -> click.Command:
    return click.Command(
        "revoke",
        callback=_revoke,
        params=[click.Argument(["id"]), _root()],
        help="End a key. A server that runs refuses it from its next request on.",
        short_help="End a key",
    )


def _json() -> click.Option:
    return click.Option(["--json", "as_plain"], is_flag=True, help="As JSON, also on a terminal.")


def _add(
    account: str,
    plan: str,
    warehouse: Path | None,
    per_minute: int | None,
    per_day: int | None,
    per_month: int | None,
    root: Path | None,
    as_plain: bool,
) -> None:
    from talkscope import serving

    limits = serving.Limits(per_minute, per_day, per_month)
    with serving.accounts(root or serving.own_root()) as accounts:
        key, text = accounts.add(account, plan_name=plan, limits=limits, folder=warehouse)
        folder = accounts.folder(key.account)
    if as_plain:
        click.echo(as_json({**serving.told(key), "warehouse": str(folder), "key": text}, pretty=False), nl=False)
        return
    click.echo(text)
    click.echo(
        f"Key {key.id} of {key.account}, plan {key.plan}; its warehouse is {folder}.\n"
        "It is shown this once. Send it in the CONVAI-API-KEY header.",
        err=True,
    )


def _list(root: Path | None, as_plain: bool) -> None:
    from talkscope import serving

    with serving.accounts(root or serving.own_root()) as accounts:
        keys = [serving.told(key) for key in accounts.all()]
    if as_plain or not on_terminal():
        click.echo(as_json({"keys": keys}, pretty=False), nl=False)
    elif keys:
        click.echo(grid(list(_COLUMNS), [[_cell(key[name]) for name in _COLUMNS] for key in keys], {}))
    else:
        click.echo("There is no key. `talkscope keys add --account NAME` makes one.")


def _cell(value: Json) -> str | int | None:
    return value if isinstance(value, str | int) else None


def _revoke(id: str, root: Path | None) -> None:
    from talkscope import serving

    with serving.accounts(root or serving.own_root()) as accounts:
        key = accounts.revoke(id)
    click.echo(f"Key {key.id} of {key.account} is revoked.")
