"""`talkscope doctor`: what is installed, what is set, what each source holds, whether the server starts."""

from __future__ import annotations

import platform as machine
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

import click

from talkscope.cli import COMMANDS
from talkscope.cli.group import Surroundings, installed, surroundings
from talkscope.cli.show import as_json
from talkscope.contract import CATALOG
from talkscope.errors import NotSupported, TalkscopeError
from talkscope.models.text import clean, so_many
from talkscope.models.window import iso
from talkscope.platforms import platform
from talkscope.settings import PLATFORMS, SourceSettings

if TYPE_CHECKING:
    from talkscope.client import Client
    from talkscope.flow import AnyCall
    from talkscope.settings import AccountSettings, PlatformSettings, Settings

State: TypeAlias = Literal["ok", "note", "problem"]
_MARKS: dict[State, str] = {"ok": "✓", "note": "·", "problem": "✗"}
_PACKAGES = ("talkscope", "duckdb", "mcp", "httpx")
# Seconds for a service to answer: a diagnosis should not wait as long as a question may.
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is, how it is, and what to do about it."""

    about: str
    state: State
    says: str
    do: str = ""


def command(name: str) -> click.Command:
    """The command `doctor`."""
    return click.Command(
        name,
        callback=_doctor,
        params=[
            click.Option(["--json", "as_json"], is_flag=True, help="The findings as JSON."),
            click.Option(["--offline"], is_flag=True, help="Ask no service over the network."),
            click.Option(
                ["--warehouse"], type=click.Path(path_type=Path, file_okay=False), metavar="PATH", help="Only this one."
            ),
        ],
        help="Look at versions, settings, every source and the server, and say what to do about each problem.\n\n"
        "Ends with 1 when there is a problem. No setting's value is shown that could be a secret.",
        short_help=COMMANDS[name].says,
    )


def _doctor(as_json: bool, offline: bool, warehouse: Path | None) -> None:
    context = click.get_current_context()
    findings: list[Finding] = []
    for finding in examine(surroundings(context), warehouse, offline=offline):
        findings.append(finding)
        if not as_json:
            click.echo(f"{_MARKS[finding.state]} {clean(finding.about)}: {clean(finding.says, 600)}")
            if finding.do:
                click.echo(f"    {clean(finding.do, 600)}")
    problems = sum(finding.state == "problem" for finding in findings)
    if as_json:
        _give(findings, problems)
    else:
        click.echo(f"\n{so_many(problems, 'problem')}." if problems else "\nAll is well.")
    context.exit(1 if problems else 0)


def _give(findings: list[Finding], problems: int) -> None:
    told = {"problems": problems, "findings": [asdict(finding) for finding in findings]}
    click.echo(as_json(told, pretty=True), nl=False)


def examine(around: Surroundings, warehouse: Path | None = None, *, offline: bool = False) -> Iterator[Finding]:
    """The findings, each as soon as it is made."""
    versions = ", ".join(f"{package} {installed(package)}" for package in _PACKAGES)
    yield Finding("versions", "ok", f"Python {machine.python_version()}, {versions}, {machine.platform(terse=True)}")
    try:
        settings = around.settings_for(warehouse)
    except TalkscopeError as error:
        yield Finding("settings", "problem", error.message, error.hint)
        return
    yield _checked("settings", lambda: _settings(settings))
    for source in settings.sources:
        if isinstance(source, SourceSettings):
            yield _checked(f"source {source.name}", partial(_source, source))
        else:
            yield _checked(f"source {source.name}", partial(_account, around, settings, source, offline=offline))
    for account in settings.platforms:
        yield _checked(f"source {account.name}", partial(_platform, around, settings, account, offline=offline))
    yield _checked("server", lambda: _server(settings))


def _checked(about: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except TalkscopeError as error:
        return Finding(about, "problem", error.message, error.hint)
    except OSError as error:
        return Finding(
            about, "problem", f"{error.strerror or type(error).__name__}.", "Check the folder's permissions."
        )


def _settings(settings: Settings) -> Finding:
    if len(settings.sources) > 1 and settings.default_source is None:
        names = ", ".join(source.name for source in settings.sources)
        return Finding(
            "settings", "note", f"Several sources and no default: {names}.", "Set TALKSCOPE_SOURCE, or use --source."
        )
    default = settings.source().name
    return Finding(
        "settings", "ok", f"{default} is asked unless another is named; a question may take {settings.deadline:g} s"
    )


def _source(source: SourceSettings) -> Finding:
    from talkscope.jobs.inventory import LAYOUTS, inventory

    about = f"source {source.name}"
    found = inventory(source.path)
    if not found.exists:
        what = "is empty: nothing has been loaded into it yet." if source.path.exists() else "is not there yet."
        load = f"Load files: talkscope ingest FILE --warehouse {source.path}. Or look at made-up ones: talkscope demo."
        return Finding(about, "note", f"{source.path} {what}", load)
    if found.version not in LAYOUTS:
        do = "Use the version of Talkscope that wrote it, or load the files into a new folder."
        return Finding(about, "problem", f"Its layout is version {found.version}, not {' or '.join(LAYOUTS)}.", do)
    if found.missing:
        do = "Restore the folder from a copy, or load the files again into a new folder."
        return Finding(
            about, "problem", f"{so_many(len(found.missing), 'file')} missing, first {found.missing[0]}.", do
        )
    rows = (
        ", ".join(
            so_many(count, table.removesuffix("s")) if table.endswith("s") else f"{count:,} {table}"
            for table, count in found.rows.items()
            if count
        )
        or "no rows"
    )
    newest = f", newest record {iso(found.newest)}" if found.newest is not None else ""
    made_up = " (generated demo data)" if found.generated else ""
    says = f"{source.path}{made_up}: layout {found.version}, {rows}, {found.bytes / 1e6:,.1f} MB{newest}"
    if not found.writable:
        return Finding(about, "note", says, "The folder cannot be written, so it can be asked but not loaded.")
    return Finding(about, "ok", says)


def _account(around: Surroundings, settings: Settings, source: AccountSettings, *, offline: bool) -> Finding:
    """Whether the service answers, and accepts the key; nothing of the key is shown, only where it comes from."""
    about = f"source {source.name}"
    host = urlsplit(source.url).hostname or "an address that names no host"
    if source.key is None and source.kind == "convai":
        return Finding(about, "problem", f"{host}: no key.", f"Set {source.key_from}, or see docs/authentication.md.")
    held = f"key from {source.key_from}" if source.key is not None and source.key_from else "no key"
    if offline:
        return Finding(about, "note", f"{host}, {held}; not asked.", "Leave --offline out to see whether it answers.")
    limited = replace(settings, deadline=min(settings.deadline, _PATIENCE))
    with closing(around.app(limited)) as app:
        told = app.client(source.name).ask(CATALOG, kind="metric")
    newest = f", newest record {told.meta.freshness}" if told.meta.freshness else ""
    return Finding(about, "ok", f"{host} answers, {held}: {so_many(len(told.rows), 'metric')}{newest}")


def _platform(around: Surroundings, settings: Settings, account: PlatformSettings, *, offline: bool) -> Finding:
    """Whether the platform answers, and accepts the key; an answer of dummy data is a problem."""
    about, variables = f"source {account.name}", PLATFORMS[account.platform]
    host = urlsplit(account.url).hostname or "an address that names no host"
    unset = [f"{variables.also[word]}" for word, value in account.also.items() if not value]
    if account.key is None or unset:
        needed = " and ".join([*([account.key_from] if account.key is None else []), *unset])
        return Finding(about, "problem", f"{host}: {needed} is not set.", f"Set {needed}, see docs/authentication.md.")
    found = platform(account.platform)
    if offline:
        says = f"{found.title} at {host}, key from {account.key_from}; not asked."
        return Finding(about, "note", says, "Leave --offline out to see whether it answers.")
    limited = replace(settings, deadline=min(settings.deadline, _PATIENCE))
    with closing(around.app(limited)) as app:
        client = app.platform(account.platform, account.name)
        probe, answer = _answered(client, found.probes(account.also))
    says = f"{found.title} at {host} answers {probe.path}, key from {account.key_from}"
    notes = found.notes(probe, answer, account.key, around.now())
    dummy = next((note for note in notes if "dummy data" in note), None)
    if dummy is not None:
        return Finding(about, "problem", dummy, f"Set {account.key_from} to a token of your own.")
    return Finding(about, "ok", says)


def _answered(client: Client, probes: Sequence[AnyCall]) -> tuple[AnyCall, object]:
    """The first of these calls that the service has, and its answer."""
    *others, last = probes
    for probe in others:
        with suppress(NotSupported):
            return probe, client.send(probe)
    return last, client.send(last)


def _server(settings: Settings) -> Finding:
    from talkscope.server.session import session
    from talkscope.settings.written import written

    # The server inherits none of our variables: it is given these settings, whatever they were made of.
    with TemporaryDirectory() as folder, session(written(settings, Path(folder, "config.toml")), patience=30) as asked:
        tools = asked.tools()
    if not tools:
        return Finding("server", "problem", "It starts, but has no tools.", "Install Talkscope anew.")
    return Finding("server", "ok", f"`talkscope mcp` starts and lists {so_many(len(tools), 'tool')}")
