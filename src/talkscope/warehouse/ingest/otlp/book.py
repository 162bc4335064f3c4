"""The records of a file: spans, events and turns trace by trace, then the sessions and outcomes of all of them."""

from __future__ import annotations

from collections.abc import Iterator

from talkscope.warehouse.documents import Found, Item
from talkscope.warehouse.ingest.otlp.evaluations import NAMED, Evaluations
from talkscope.warehouse.ingest.otlp.parts import MESSAGES, PLATFORM, Part, count_once, record_of, said
from talkscope.warehouse.ingest.otlp.sessions import Sessions
from talkscope.warehouse.ingest.otlp.tree import Tree
from talkscope.warehouse.ingest.otlp.turns import interaction, interruption, is_itself

_EVALUATION = "gen_ai.evaluation.result"


class Book:
    """What is known of a file so far: sessions that may still grow, and evaluations that wait for them."""

    def __init__(self) -> None:
        self._sessions = Sessions()
        self._evaluations = Evaluations()

    def take(self, tree: Tree) -> Iterator[Found]:
        """The records of one trace, but for its sessions."""
        services = {key: said(facts, ("service.name",)) for key, facts in tree.resources.items()}
        several = len(set(services.values())) > 1
        itself = {id(part) for part in tree.sessions} | {id(part) for part in tree.parts if is_itself(part)}
        made: list[tuple[Part, Item]] = []
        for part in tree.parts:
            record = record_of(part, services[part.span.resource] if several else None)
            if part.work_of is not None:
                yield _place(part), _work(record, part, part.work_of)
            elif id(part) not in itself:
                made.append((part, record))
            yield from self._events(part)
        count_once(made)
        yield from ((_place(part), record) for part, record in made)
        for turn in tree.turns.values():
            session = turn.parts[0].session or tree.id
            # Where the trace's root is elsewhere, the warehouse derives the turn until it comes.
            if turn.kind != "trace" or tree.rooted:
                yield f"turn {turn.id}", interaction(turn, session, tree.spoken)
            cut = interruption(turn, session)
            if cut is not None:
                yield f"turn {turn.id} / interruption", cut
        self._sessions.meet(tree)

    def close(self) -> Iterator[Found]:
        """The sessions, and what the evaluations say of them."""
        yield from self._sessions.close()
        yield from self._evaluations.close()

    def _events(self, part: Part) -> Iterator[Found]:
        if part.span.attributes.get(NAMED):
            self._evaluations.add(_place(part), part, part.span.start, part.span.attributes)
        for number, (time, name, facts) in enumerate(part.span.events, 1):
            where = f"{_place(part)} / event {number}"
            if name == _EVALUATION and facts.get(NAMED):
                self._evaluations.add(where, part, time, facts)
            elif name not in MESSAGES:
                yield (
                    where,
                    {
                        "type": "event",
                        "platform": PLATFORM,
                        "session_id": part.session,
                        "interaction_id": part.turn,
                        "time_ns": time,
                        "metric_name": name[:200],
                        "metric_type": "span_event",
                        "processor": part.processor,
                        "error_code": said(facts, ("exception.type",)),
                        "attributes": {**facts, "span_id": part.span.key},
                    },
                )


def _work(record: Item, part: Part, holder: Part) -> Item:
    """A component's inner work as an event, so that the component stays one span and the innermost one."""
    span = part.span
    word = "attempt" if part.sort == "attempt" else part.processor
    facts = record["attributes"] if isinstance(record["attributes"], dict) else {}
    return {
        "type": "event",
        "platform": PLATFORM,
        "session_id": part.session,
        "interaction_id": part.turn,
        "time_ns": span.start,
        "metric_name": f"{holder.processor}.{word}",
        "metric_type": "span",
        "value": (part.end - span.start) / 1_000_000 if span.end is not None else None,
        "unit": "ms",
        "processor": holder.processor,
        # With a status it would fail the turn, which an attempt that was made again did not.
        "error_code": part.error_code,
        "attributes": {**facts, "span_id": span.key, "parent_id": f"{span.trace}:{span.parent}", "status": part.status},
    }


def _place(part: Part) -> str:
    return f"trace {part.span.trace} / span {part.span.id}"
