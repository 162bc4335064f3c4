"""Every question as a command: its options come from the contract, its answer goes to the page that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import click

from talkscope.cli import COMMANDS
from talkscope.cli.group import surroundings
from talkscope.cli.meanings import SAYS, WITHOUT, retold
from talkscope.cli.show import Page
from talkscope.cli.words import Place, json_text, options, page_options, source_options, words
from talkscope.contract import QUESTIONS, Question, understand
from talkscope.models.answers import Answer

_POSITIONAL = {"session": "session_id", "interaction": "interaction_id", "explain": "session_id", "query": "query"}
ASKED: Mapping[str, str] = {"support": "live_support"}
"""The question of a command that has another name."""
# Where the Convai command line has another default than the contract.
_DEFAULTS: Mapping[str, Mapping[str, object]] = {"sessions": {"limit": 20}}
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
    "support": "talkscope support --group-by agent --range last_7d",
    "resources": "talkscope resources --kind api_tool --range last_30d",
    "errors": "talkscope errors --service llm --range last_24h",
    "query": 'talkscope query \'{"measures": ["SessionMetrics.count"]}\'   (or @file.json, or - for stdin)',
    "outcomes": "talkscope outcomes --measure deflection_rate,csat,conversions --group-by tag --range last_30d",
}


def command(name: str) -> click.Command:
    """The command that asks the question of that name."""
    question = QUESTIONS[ASKED.get(name, name)]

    def callback(**given: object) -> None:
        _ask(question, given)

    return click.Command(
        name,
        callback=callback,
        params=[*_options(name, question), *_common()],
        help=f"{question.doc}\n\n\b\nExample:\n  {_EXAMPLES[name]}",
        short_help=COMMANDS[name].says,
    )


def _options(name: str, question: Question[Answer]) -> list[click.Parameter]:
    """The question's words, some of them told in other words than those of most questions."""
    found = options(
        question.params, positional=_POSITIONAL.get(name), defaults=_DEFAULTS.get(name), without=WITHOUT.get(name, ())
    )
    return retold(found, SAYS.get(name, {}))


def _common() -> list[click.Parameter]:
    return [
        *source_options(),
        *page_options(),
    ]


def _ask(question: Question[Answer], given: dict[str, object]) -> None:
    around = surroundings(click.get_current_context())
    page = Page.taken(given)
    place = Place.of(given)
    if question.name == "query":
        given["query"] = json_text(str(given["query"]), "The query")
    asked = {**_DEFAULTS.get(question.name, {}), **words(question.params, given)}
    understand(question.params, asked)
    with closing(around.app(place.settings(around))) as app:
        page.give(app.client(place.source).ask(question, **asked))
