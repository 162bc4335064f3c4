"""Every question as a command: its options come from the contract, its answer goes to the page that was asked for."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import click
import orjson
from pydantic import SecretStr

from talkscope.cli import COMMANDS
from talkscope.cli.group import surroundings
from talkscope.cli.show import Page
from talkscope.cli.words import options, words
from talkscope.contract import QUESTIONS, Question, understand
from talkscope.errors import InvalidArgument
from talkscope.models.answers import Answer

_LONGEST_KEY = 4_096
_POSITIONAL = {"session": "session_id", "interaction": "interaction_id", "explain": "session_id", "query": "query"}
_EXAMPLES: Mapping[str, str] = {
    "summary": "talkscope summary --range last_7d",
    "timeseries": "talkscope timeseries --measure p50,p95 --granularity day --range last_30d",
    "breakdown": "talkscope breakdown --measure p95,count,error_rate --group-by provider,model --processor llm",
    "latency": "talkscope latency --percentile p95 --range last_7d",
    "sessions": "talkscope sessions --range last_7d --sort slowest --limit 5",
    "session": "talkscope session SESSION_ID",
    "interaction": "talkscope interaction INTERACTION_ID --pretty",
    "explain": "talkscope explain --range last_7d",
    "concurrency": "talkscope concurrency --range today --timezone Europe/Berlin",
    "regressions": "talkscope regressions --measure p95 --group-by provider --processor llm",
    "catalog": "talkscope catalog --kind metric",
    "query": 'talkscope query \'{"measures": ["SessionMetrics.count"]}\'   (or @file.json, or - for stdin)',
}


def command(name: str) -> click.Command:
    """The command that asks the question of that name."""
    question = QUESTIONS[name]

    def callback(**given: object) -> None:
        _ask(question, given)

    return click.Command(
        name,
        callback=callback,
        params=[*options(question.params, positional=_POSITIONAL.get(name)), *_common()],
        help=f"{question.doc}\n\n\b\nExample:\n  {_EXAMPLES[name]}",
        short_help=COMMANDS[name].says,
    )


def _common() -> list[click.Parameter]:
    folder = click.Path(path_type=Path, file_okay=False)
    return [
        click.Option(["--source"], metavar="NAME", help="Which configured source is asked."),
        click.Option(["--warehouse"], type=folder, metavar="PATH", help="Ask the warehouse in this folder."),
        click.Option(["--base-url"], metavar="URL", help="Ask the Convai Analytics API at this address."),
        click.Option(
            ["--api-key-file"], type=click.File(), metavar="FILE", help="Read its key from a file, or - for stdin."
        ),
        click.Option(
            ["--api-key"], metavar="KEY", help="Its key, for a one-off test: the process list shows it to everyone."
        ),
        click.Option(["--table", "as_table"], is_flag=True, help="A table, also in a pipe."),
        click.Option(["--json", "as_json"], is_flag=True, help="JSON on one line, also on a terminal."),
        click.Option(["--pretty", "as_pretty"], is_flag=True, help="JSON, indented."),
        click.Option(["--csv", "as_csv"], is_flag=True, help="The rows as CSV."),
        click.Option(["--raw", "as_raw"], is_flag=True, help="CSV cells as they are: a spreadsheet may run formulas."),
        click.Option(
            ["--output", "-o"],
            type=click.Path(path_type=Path, dir_okay=False, writable=True),
            metavar="FILE",
            help="Write to a file; .csv, .json and .txt name the form.",
        ),
    ]


def _ask(question: Question[Answer], given: dict[str, object]) -> None:
    around = surroundings(click.get_current_context())
    page = Page.of(
        table=_on(given, "as_table"),
        json=_on(given, "as_json"),
        pretty=_on(given, "as_pretty"),
        csv=_on(given, "as_csv"),
        raw=_on(given, "as_raw"),
        output=_path(given.pop("output")),
    )
    source, warehouse = given.pop("source"), _path(given.pop("warehouse"))
    key, url = _key(given.pop("api_key"), given.pop("api_key_file")), given.pop("base_url")
    if question.name == "query":
        given["query"] = _json_text(str(given["query"]))
    asked = words(question.params, given)
    understand(question.params, asked)
    settings = around.settings_for(warehouse, key=key, url=None if url is None else str(url))
    with closing(around.app(settings)) as app:
        page.give(app.client(str(source) if source is not None else None).ask(question, **asked))


def _key(word: object, file: object) -> SecretStr | None:
    """The key that was given for this one command, from the safer place when there are two."""
    if isinstance(file, io.TextIOBase):
        text = file.read(_LONGEST_KEY).strip()
        if not text:
            raise InvalidArgument("The key file is empty.", hint="Write the key into it, and nothing else.")
        return SecretStr(text)
    if not isinstance(word, str):
        return None
    click.echo("warning: others on this machine can read --api-key in the process list: set CONVAI_API_KEY.", err=True)
    return SecretStr(word)


def _on(given: dict[str, object], name: str) -> bool:
    return bool(given.pop(name))


def _path(value: object) -> Path | None:
    return value if isinstance(value, Path) else None


def _json_text(word: str) -> object:
    """The query that the word is, or that the file or stdin holds."""
    if word == "-":
        text: str | bytes = sys.stdin.buffer.read()
    elif word.startswith("@"):
        text = Path(word[1:]).read_bytes()
    else:
        text = word
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(
            f"The query is not JSON: {error}.", hint="Give JSON text, @FILE for a file, or - for stdin."
        ) from None
