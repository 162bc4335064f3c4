"""What a host offers while somebody types an argument: ranges, components, names of the catalogue, recent ids.

Ids and names are asked of the default source, quickly or not at all: a source that does not answer completes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import anyio
from mcp_types import Completion, CompletionArgument, CompletionContext, PromptReference, ResourceTemplateReference

from talkscope import contract, recipes
from talkscope.errors import InvalidArgument, NotFound, TalkscopeError, unknown
from talkscope.models.answers import Answer
from talkscope.models.text import clean
from talkscope.models.window import RANGES
from talkscope.server import resources
from talkscope.server.refusals import refusing
from talkscope.tools.tool import Asker, Manner

MOST = 100
"""Values in one completion, by the protocol."""
_PATIENCE = 2.0
_KEPT, _AGAIN = 30.0, 5.0
_SESSIONS = 5
_RECENT = "last_7d"


class Completions:
    """Completes the arguments of prompts and of the catalogue's address.

    Args:
        asker: Whoever knows the ids and names.
        settings: How answers are given.
        clock: Seconds, to keep what was learnt for a while: each key that is typed asks again.
    """

    def __init__(self, asker: Asker, settings: Manner, clock: Callable[[], float] = time.monotonic) -> None:
        self._asker = asker
        self._manner = settings
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, Sequence[str]]] = {}
        self._lock = anyio.Lock()

    async def __call__(
        self,
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        """The values that begin with what was typed, at most 100 of them."""
        others = (context.arguments if context is not None else None) or {}
        with refusing("completion"):
            if isinstance(ref, PromptReference):
                name = recipes.prompt(ref.name).argument(argument.name).name
                values = recipes.choices(name) or await self._known(name, _window(others))
            else:
                values = await self._of_address(ref.uri, argument.name, others)
        typed = argument.value.lower()
        found = [value for value in values if value.lower().startswith(typed)]
        # Where as many were asked for as fit, there may be others that were not seen.
        whole = len(values) < MOST
        return Completion(values=found[:MOST], total=len(found) if whole else None, has_more=not whole)

    async def _of_address(self, uri: str, argument: str, others: Mapping[str, str]) -> Sequence[str]:
        if uri != resources.MEMBER:
            raise NotFound(f"There is no resource template {clean(uri, 120)!r}.", hint=f"There is {resources.MEMBER}.")
        if argument == "kind":
            return resources.KINDS
        if argument != "name":
            raise unknown("argument", clean(argument, 60), ("kind", "name"))
        kind = others.get("kind", "")
        if kind and kind not in resources.KINDS:
            raise InvalidArgument(f"{clean(kind, 40)!r} is no kind.", hint=f"Use one of {', '.join(resources.KINDS)}.")
        return await self._known(kind or "all", "")

    async def _known(self, what: str, window: str) -> Sequence[str]:
        """The source's values, asked for at most every few seconds; none when it does not answer in time."""
        async with self._lock:
            until, values = self._kept.get((what, window), (0.0, ()))
            if self._clock() < until:
                return values
            values = ()
            with anyio.move_on_after(_PATIENCE):
                try:
                    values = await self._asked(what, window)
                except TalkscopeError:
                    values = ()
            self._kept[what, window] = (self._clock() + (_KEPT if values else _AGAIN), values)
            return values

    async def _asked(self, what: str, window: str) -> Sequence[str]:
        match what:
            case "session_id":
                return await self._sessions(window, MOST)
            case "interaction_id":
                return await self._interactions(window)
            case "character_id":
                words = {"measures": ["sessions"], "group_by": ["character_id"], "range": window, "limit": MOST}
                return self._shown(await self._asker.ask(None, contract.BREAKDOWN, words), "character_id")
            case _:
                return self._shown(await self._asker.ask(None, contract.CATALOG, {"kind": what}), "name")

    async def _sessions(self, window: str, most: int) -> list[str]:
        """The sessions that began last; of the last that there are, when the window has none."""
        answer = await self._asker.ask(None, contract.SESSIONS, {"range": window, "limit": most})
        extent = answer.meta.extent
        if not answer.rows and extent is not None:
            words = {"start_time": extent.start, "limit": most}
            answer = await self._asker.ask(None, contract.SESSIONS, words)
        return self._shown(answer, "session_id")

    async def _interactions(self, window: str) -> list[str]:
        """The interactions of the sessions that began last."""
        found: dict[str, None] = {}
        for session in await self._sessions(window, _SESSIONS):
            answer = await self._asker.ask(None, contract.SESSION, {"session_id": session, "limit": 500})
            found |= dict.fromkeys(self._shown(answer, "interaction_id"))
            if len(found) > MOST:
                break
        return list(found)

    def _shown(self, answer: Answer, column: str) -> list[str]:
        """A column's texts, each once, as tools show them; those that cannot be handed back are left out."""
        mask = str if self._manner.reveal_personal_data else self._asker.mask(None)
        texts = dict.fromkeys(str(row[column]) for row in answer.records() if row.get(column))
        return [text for text in texts if clean(mask(text), recipes.LONGEST) == text]


def _window(others: Mapping[str, str]) -> str:
    given = others.get("range", "")
    return given if given in RANGES else _RECENT
