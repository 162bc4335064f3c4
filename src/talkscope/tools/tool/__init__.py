"""What all tools share: a tool is a question with a name, a description and a shape for its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from talkscope.contract import Question
from talkscope.errors import Json
from talkscope.models.answers import Answer
from talkscope.models.safe import Masking
from talkscope.tools.tool import schema
from talkscope.tools.tool.shape import Shaped, Shaping, refused, tokens, within
from talkscope.tools.tool.words import understood

__all__ = ["Asker", "Manner", "Shaped", "Tool", "refused", "tokens"]

# A row's brackets and commas, its bucket or name, and one number: measured on real answers.
_ROW, _LABEL, _NUMBER = 3, 28, 10
_AROUND = 1_600
_AGAIN = 2
# Said by sixteen tools, so that each word counts.
TOLD = {"filters": "dimension=value or !=value", "start_time": "ISO 8601, not with range"}


class Asker(Protocol):
    """Whoever answers questions."""

    @property
    def sources(self) -> Sequence[str]:
        """The names of the configured sources."""

    @property
    def default_source(self) -> str | None:
        """The name of the source that is asked when several are configured and none is named, if one was set."""

    async def ask(self, source: str | None, question: Question[Answer], words: Mapping[str, object]) -> Answer:
        """The source's answer to the question; the default source's when none is named."""

    def mask(self, source: str | None) -> Masking:
        """What hides personal data in that source's answers; asked for once the source has answered."""

    async def png(self, spec: Mapping[str, Json]) -> bytes:
        """The picture of a chart's spec."""


class Manner(Protocol):
    """How answers are given; `Settings` says it."""

    @property
    def answer_tokens(self) -> int:
        """Tokens that an answer may take."""

    @property
    def reveal_personal_data(self) -> bool:
        """Whether e-mail addresses, phone numbers and page addresses are shown."""

    @property
    def allow_side_effects(self) -> bool:
        """Whether calls that change something on a platform may be made."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A question as a model's tool.

    Args:
        name: At most 25 characters.
        title: For people.
        description: For the model: what it answers, defaults and limits.
        question: What is asked.
        hidden: Words of the question that the tool sets itself.
        narrows: The word that takes a smaller number when the answer is over its budget, if there is one.
        left_out: How to get what does not fit.
        own: Columns and fields whose text is ours, not from outside.
        bare: Columns that are shown as they are, because they were asked for by name.
        told: Descriptions of words in place of the question's.
        plain: Words whose choices are listed by another word, so that they are shown as any text.
        fold: What shortens an answer before it is shaped.
    """

    name: str
    title: str
    description: str
    question: Question[Answer]
    hidden: frozenset[str] = frozenset()
    narrows: str | None = None
    left_out: str = "Ask for a shorter window, or filter."
    own: frozenset[str] = frozenset()
    bare: frozenset[str] = frozenset()
    told: Mapping[str, str] = field(default_factory=dict)
    plain: frozenset[str] = frozenset()
    fold: Callable[[Answer], Answer] | None = None
    ui: str | None = None
    """The page that shows the answer, where a host can show one."""

    def input_schema(self, sources: Sequence[str] = (), default: str | None = None) -> dict[str, Json]:
        """The closed JSON Schema of the tool's words; `source` is among them when there are several."""
        told = {**TOLD, **self.told}
        made = schema.taken(self.question.params, hidden=self.hidden, told=told, sources=sources, default=default)
        properties = made["properties"]
        assert isinstance(properties, dict)
        properties |= {name: {"type": "string", "description": self.told[name]} for name in self.plain}
        return made

    def output_schema(self) -> dict[str, Json] | None:
        """The closed JSON Schema of the tool's structured content."""
        made = schema.shown(self.question.answer)
        properties = made["properties"]
        assert isinstance(properties, dict)
        texts: Json = {"type": "array", "items": {"type": "string"}}
        return schema.closed(properties | {"untrusted": texts}, ["columns", "rows", "meta"])

    async def call(self, asker: Asker, words: Mapping[str, object], manner: Manner) -> Shaped:
        """Ask, and shape the answer to its budget.

        Raises:
            TalkscopeError: The words are off, or there is no answer.
        """
        source, asked = understood(self.question.params, words, hidden=self.hidden, sources=asker.sources)
        if self.narrows in self.hidden and self.narrows is not None:
            asked[self.narrows] = _rows_within(manner.answer_tokens, asked)
        shaping = await self._shaping(asker, source, asked, manner)
        before = len(shaping.rows)
        for _ in range(_AGAIN):
            fitting = shaping.fitting()
            if self.narrows is None or fitting >= len(shaping.rows) or fitting < 2:
                break
            # One less than fits: a question may add a row for all that it folds.
            asked[self.narrows] = min(fitting - 1, _number(asked.get(self.narrows), fitting - 1))
            shaping = await self._shaping(asker, source, asked, manner)
            shaping.notes.append(
                f"Shortened from {before} to {len(shaping.rows)} rows to fit into"
                f" {within(manner.answer_tokens)} tokens. {self.left_out}"
            )
        return shaping.whole(self.left_out)

    async def _shaping(self, asker: Asker, source: str | None, asked: Mapping[str, object], manner: Manner) -> Shaping:
        answer = await asker.ask(source, self.question, dict(asked))
        mask: Masking = str if manner.reveal_personal_data else asker.mask(source)
        folded = self.fold(answer) if self.fold else answer
        return Shaping(folded, budget=manner.answer_tokens, mask=mask, own=self.own, bare=self.bare)


def _rows_within(budget: int, asked: Mapping[str, object]) -> int:
    """How many rows fit: a bucket, a group where there is one, each measure and n."""
    measures, by = asked.get("measures"), asked.get("group_by")
    numbers = 1 + (len(measures) if isinstance(measures, list) else 1)
    labels = 1 + (len(by) if isinstance(by, list) else 0)
    row = _ROW + labels * _LABEL + numbers * _NUMBER
    return max(2, (within(budget) * 4 - _AROUND) // row)


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise
