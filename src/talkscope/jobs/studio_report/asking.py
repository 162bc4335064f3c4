"""A live report's calls: which answers each part of the facts is made of; a refusal is told in its section."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeAlias

import anyio

from talkscope.errors import TalkscopeError, unknown
from talkscope.jobs.studio_report import citing
from talkscope.jobs.studio_report.facts import Converted, Facts, newest_first, slim
from talkscope.jobs.studio_report.once import Keep, Once, Sends, together
from talkscope.jobs.studio_report.resources import LOADS, RECENT
from talkscope.jobs.studio_report.satisfaction import LOW
from talkscope.models.records import micros
from talkscope.models.text import clean
from talkscope.models.window import Window, iso, moment
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat import meaning
from talkscope.platforms.studio_chat.models import (
    Conversation,
    ConversationPage,
    ConversionAnalytics,
    ConversionMetric,
    CsatAnalytics,
    CsatRating,
)

Progress: TypeAlias = Callable[[str], object]

_PAGE = 100
_RATINGS = 200
_MOST_RATINGS = 2_000
_MOST_ASSISTANTS = 25


async def gather(
    client: Sends,
    project_id: str,
    facts: Facts,
    names: Iterable[str],
    *,
    progress: Progress = lambda _: None,
    keep: Keep = lambda _name, _json: None,
) -> None:
    """Fill these facts in with the account's answers.

    Args:
        client: Whoever is asked.
        project_id: The project.
        facts: What is to be known, about its scope.
        names: The fields that are wanted.
        progress: Is told of each field whether it was answered.
        keep: Is given each answer as it came, under a name of its own.

    Raises:
        TalkscopeError: The assistant is not known, or nothing was answered: the first refusal.
    """
    asking = _Asking(Once(client, keep), project_id, facts)
    await asking.named()
    ways = asking.ways()
    wanted = [name for name in ways if name in set(names)]
    wrong: list[TalkscopeError] = []

    async def one(name: str) -> None:
        try:
            await ways[name]()
        except TalkscopeError as error:
            wrong.append(error)
            facts.lacking[name] = f"not answered. {error.message}"
            progress(f"{name.replace('_', ' ')}: refused")
        else:
            progress(f"{name.replace('_', ' ')}: answered")

    async with anyio.create_task_group() as group:
        for name in wanted:
            group.start_soon(one, name)
    if wrong and len(wrong) == len(wanted):
        raise wrong[0]


class _Asking:
    """Asks one account about one scope."""

    def __init__(self, once: Once, project_id: str, facts: Facts) -> None:
        self._once, self._project, self._facts = once, project_id, facts
        scope = facts.scope
        self._tags = scope.tags or None
        self._start, self._end = iso(scope.window.start), iso(scope.window.end)
        facts.days = _whole_days(scope.window)
        self._first, self._after = iso(facts.days.start)[:10], iso(facts.days.end)[:10]

    def ways(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """How each field of the facts is asked for."""
        return {
            "analytics": self._analytics,
            "aggregate": self._aggregate,
            "conversations": self._conversations,
            "api_tools": self._api_tools,
            "toolkits": self._toolkits,
            "skills": self._skills,
            "citations": self._citations,
            "cited": self._cited,
            "sparklines": partial(citing.sparklines, self._once, self._project, self._facts),
            "csat": self._csat,
            "low_ratings": self._low_ratings,
            "conversions": self._conversions,
            "funnel": self._funnel,
        }

    async def named(self) -> None:
        """Say which assistant is meant. Raises UnknownName."""
        base = self._facts.scope.base_id
        if base is None:
            return
        await self._playbooks()
        names = {each.base_id: each.name for each in self._facts.playbooks}
        if base not in names:
            raise unknown("playbook_base_id", clean(base, 60), names)
        self._facts.about.append(("Assistant", clean(f"{names[base] or 'unnamed'} ({base})", 200)))

    async def _playbooks(self) -> None:
        # Deleted ones too: their conversations are still there.
        call = studio_chat.playbooks(self._project, include_deleted=True)
        found = await self._once.ask("playbooks", call)
        self._facts.playbooks = found

    async def _analytics(self) -> None:
        base = self._facts.scope.base_id
        call = studio_chat.conversation_analytics(
            self._project, start_date=self._start, end_date=self._end, playbook_base_ids=base, tags=self._tags
        )
        self._facts.analytics = await self._once.ask("analytics", call)

    async def _aggregate(self) -> None:
        base = self._facts.scope.base_id
        call = studio_chat.metrics_aggregate(
            self._project, start_date=self._start, end_date=self._end, playbook_base_id=base, tags=self._tags
        )
        self._facts.aggregate = await self._once.ask("metrics_agg", call)

    async def _conversations(self) -> None:
        """Every conversation of the window, once."""
        rows: dict[str, Conversation] = {}
        total = await self._page(rows, 0)
        await together([partial(self._more, rows, offset) for offset in range(_PAGE, total, _PAGE)])
        self._facts.conversations = newest_first(rows.values())
        if len(rows) != total:
            self._facts.note(
                "conversations",
                f"The service said that there are {total:,}, and {len(rows):,} came: it changed meanwhile.",
            )

    async def _more(self, rows: dict[str, Conversation], offset: int) -> None:
        await self._page(rows, offset)

    async def _page(self, rows: dict[str, Conversation], offset: int) -> int:
        # By the first message, which stays where it is while conversations go on.
        base = self._facts.scope.base_id
        call = studio_chat.conversations(
            self._project, start_date=self._start, end_date=self._end, playbook_base_id=base, tags=self._tags,
            limit=_PAGE, offset=offset, sort_by="first_message_at", sort_order="asc",
        )  # fmt: skip
        page: ConversationPage = await self._once.ask(f"conversations-{offset // _PAGE + 1:04d}", call)
        rows.update({each.conversation_id: slim(each) for each in page.conversations})
        return page.total

    async def _api_tools(self) -> None:
        call = studio_chat.api_tool_usage(self._project, start_date=self._first, end_date=self._after, limit=1)
        self._facts.api_tools = await self._once.ask("api_tool_usage", call)
        self._in_days("api_tools")

    async def _toolkits(self) -> None:
        call = studio_chat.toolkit_usage(self._project, start_date=self._first, end_date=self._after, limit=RECENT)
        self._facts.toolkits = await self._once.ask("toolkit_usage", call)
        self._in_days("toolkits")

    async def _skills(self) -> None:
        call = studio_chat.skill_usage(self._project, start_date=self._first, end_date=self._after, limit=LOADS)
        self._facts.skills = await self._once.ask("skill_usage", call)
        self._in_days("skills")

    async def _citations(self) -> None:
        call = studio_chat.kb_citations(self._project, start_date=self._first, end_date=self._after)
        self._facts.citations = await self._once.ask("kb_citation_usage", call)
        self._in_days("citations")
        self._facts.note("citations", meaning.UNNAMED)

    async def _cited(self) -> None:
        await citing.cited(self._once, self._project, self._facts, self._first, self._after)
        self._in_days("cited")

    def _in_days(self, name: str) -> None:
        asked, days = self._facts.scope.window, self._facts.days
        assert days is not None
        if (asked.start, asked.end) != (days.start, days.end):
            self._facts.note(name, f"Told by whole days of UTC: from {self._first} to before {self._after}.")

    async def _csat(self) -> None:
        self._facts.csat = await self._ratings(0)

    async def _low_ratings(self) -> None:
        """The low ratings, page by page: the score is in the same answer, whatever its page is of."""
        first = await self._ratings(0)
        found: list[CsatRating] = [*first.ratings]
        part: Sequence[CsatRating] = first.ratings
        most = min(first.rated_up_to(LOW) or 0, _MOST_RATINGS)
        while part and len(found) < most:
            part = (await self._ratings(len(found))).ratings
            found += part
        self._facts.low_ratings = found

    async def _ratings(self, offset: int) -> CsatAnalytics:
        base = self._facts.scope.base_id
        call = studio_chat.csat_analytics(
            self._project, start_date=self._start, end_date=self._end, tags=self._tags, playbook_base_id=base,
            max_rating=LOW, ratings_limit=_RATINGS, ratings_offset=offset,
        )  # fmt: skip
        return await self._once.ask("csat" if not offset else f"csat-{offset}", call)

    async def _conversions(self) -> None:
        found = await self._metrics()
        if self._facts.conversions is None:
            self._facts.conversions = found

    async def _metrics(self) -> list[Converted]:
        """Every metric that is meant, as a whole."""
        every = await self._once.ask("conversion_metrics", studio_chat.conversion_metrics(self._project))
        known = {each.slug: each for each in every}
        meant = self._facts.scope.metrics or tuple(known)
        wholes: dict[str, ConversionAnalytics] = {}

        async def whole(slug: str) -> None:
            wholes[slug] = await self._converted(slug, self._facts.scope.base_id)

        await together([partial(whole, slug) for slug in meant])
        return [Converted(known.get(slug) or ConversionMetric(id=slug, slug=slug), wholes[slug]) for slug in meant]

    async def _converted(self, slug: str, base: str | None) -> ConversionAnalytics:
        call = studio_chat.conversion_analytics(
            self._project, slug, start_date=self._start, end_date=self._end, tags=self._tags,
            playbook_base_id=base, events_limit=1, events_offset=0,
        )  # fmt: skip
        return await self._once.ask(f"metric-{slug}-{base}" if base else f"metric-{slug}", call)

    async def _funnel(self) -> None:
        """Each metric with an event, by assistant."""
        metrics = await self._metrics()
        await self._playbooks()
        base = self._facts.scope.base_id
        every = self._facts.playbooks
        meant = [each.base_id for each in every if each.base_id == base or not (base or each.is_deleted)]
        chosen = list(dict.fromkeys(meant))
        if len(chosen) > _MOST_ASSISTANTS:
            self._facts.note("funnel", f"These are the first {_MOST_ASSISTANTS} of {len(chosen)} assistants.")
        rates: dict[tuple[str, str], ConversionAnalytics] = {}

        async def rate(slug: str, which: str) -> None:
            rates[slug, which] = await self._converted(slug, which)

        chosen = chosen[:_MOST_ASSISTANTS]
        pairs = [(each.metric.slug, which) for each in metrics if each.whole.total_events for which in chosen]
        await together([partial(rate, slug, which) for slug, which in pairs])
        self._facts.conversions = [
            replace(each, assistants={which: rates[slug, which] for slug, which in pairs if slug == each.metric.slug})
            for each in metrics
        ]


def _whole_days(window: Window) -> Window:
    """The days of UTC that hold the window."""

    def midnight(us: int) -> datetime:
        return moment(us).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    return Window(micros(midnight(window.start)), micros(midnight(window.end - 1) + timedelta(days=1)))
