"""How sessions ended, against figures counted one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from talkscope.errors import InvalidArgument, UnknownName
from talkscope.models.answers import Answer
from talkscope.models.outcomes import HEADLINE, OUTCOMES
from tests.warehouse.questions.ended import END, START, Record, Share, Truth, World, groups, made
from tests.warehouse.questions.loaded import Loaded

WINDOW = {"start_time": START.isoformat(), "end_time": END.isoformat()}
DIMENSIONS = ["character_id", "platform", "tag", "sentiment"]


@pytest.fixture(scope="module")
def ended() -> World:
    return made()


@pytest.fixture(scope="module")
def warehouse(ended: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    loaded = Loaded(tmp_path_factory.mktemp("ended"), [ended.records])
    yield loaded
    loaded.close()


@pytest.fixture
def warehouse_of(tmp_path: Path) -> Iterator[Callable[..., Loaded]]:
    """Makes a warehouse of some records."""
    several: list[Loaded] = []

    def make(records: list[Record]) -> Loaded:
        several.append(Loaded(tmp_path / str(len(several)), [records]))
        return several[-1]

    yield make
    for each in several:
        each.close()


def shares(answer: Answer, group: object = None, by: str | None = None) -> dict[str, set[Share]]:
    """By measure, its figures in one group."""
    found: dict[str, set[Share]] = {}
    for row in answer.records():
        if by is None or row[by] == group:
            label, value, count, n = (row[name] for name in ("label", "value", "count", "n"))
            assert not isinstance(value, str)
            assert isinstance(count, int | float)
            assert isinstance(n, int)
            found.setdefault(str(row["measure"]), set()).add((None if label is None else str(label), value, count, n))
    return found


def expected(truth: Truth) -> dict[str, set[Share]]:
    return {
        name: {
            (label, None if value is None else round(value, 6), count, n) for label, value, count, n in truth.of(name)
        }
        for name in OUTCOMES
    }


def in_group(by: str, *wanted: object) -> Callable[[Record, Record], bool]:
    """Whether a session counts under any of these groups."""
    return lambda session, outcome: bool(set(groups(session, outcome, by)) & set(wanted))


def test_every_figure_is_what_one_by_one_comes_to(warehouse: Loaded, ended: World):
    answer = warehouse.ask("outcomes", measures="all", **WINDOW)
    assert answer.columns == ["measure", "label", "value", "count", "n"]
    assert list(dict.fromkeys(str(row[0]) for row in answer.rows)) == list(OUTCOMES)
    truth = expected(Truth(ended))
    assert shares(answer) == truth
    assert answer.meta.n == next(iter(truth["outcomes"]))[3]
    # The world has something to say on everything, so that the comparison above compares something.
    assert [name for name, found in truth.items() if not any(n for _, _, _, n in found)] == []


@pytest.mark.parametrize("by", DIMENSIONS)
def test_the_figures_of_each_group_are_those_of_its_sessions(warehouse: Loaded, ended: World, by: str):
    answer = warehouse.ask("outcomes", measures="all", group_by=by, limit=200, **WINDOW)
    shown = dict.fromkeys(row[0] for row in answer.rows)
    for group in shown:
        assert shares(answer, group, by) == expected(Truth(ended, in_group(by, group))), group
    whole = Truth(ended)
    assert {group for each in whole.outcomes for group in groups(whole.session_of(each), each, by)} <= set(shown)
    sizes = [row["n"] for row in answer.records() if row["measure"] == "outcomes"]
    assert sizes == sorted(sizes, key=lambda n: -int(str(n)))


@pytest.mark.parametrize("by", ["tag", "character_id", "end_user_id"])
def test_groups_beyond_the_limit_are_one_in_which_each_session_counts_once(warehouse: Loaded, ended: World, by: str):
    answer = warehouse.ask("outcomes", measures="all", group_by=by, limit=1, **WINDOW)
    first, other = dict.fromkeys(row[0] for row in answer.rows)
    every = {
        group
        for key, session in Truth(ended).session.items()
        for group in groups(session, Truth(ended).about.get(key, {}), by)
    }
    assert str(other).startswith("other (")
    assert shares(answer, other, by) == expected(Truth(ended, in_group(by, *(every - {first}))))
    assert any("1 of" in note for note in answer.meta.notes)


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        (["tag=vip"], lambda session, outcome: "vip" in outcome.get("tags", [])),
        (["tag=vip", "tag=a'b"], lambda session, outcome: bool({"vip", "a'b"} & {*outcome.get("tags", [])})),
        (["tag!=refund"], lambda session, outcome: "refund" not in outcome.get("tags", [])),
        (["tags="], lambda session, outcome: not outcome.get("tags")),
        (["sentiment=negative"], lambda session, outcome: outcome.get("sentiment") == "negative"),
        (
            ["assistant=sales", "channel!=web"],
            lambda session, outcome: (
                "sales" in groups(session, outcome, "character_id") and session["channel"] != "web"
            ),
        ),
        (["platform=quiet"], lambda session, outcome: session["platform"] == "quiet"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_filter_chooses_sessions_by_what_they_or_their_outcomes_say(
    warehouse: Loaded, ended: World, filters: list[str], passes: Callable[[Record, Record], bool]
):
    answer = warehouse.ask("outcomes", measures="all", filters=filters, **WINDOW)
    assert shares(answer) == expected(Truth(ended, passes))


def test_the_main_figures_are_asked_where_none_are_named(warehouse: Loaded):
    answer = warehouse.ask("outcomes", **WINDOW)
    assert list(dict.fromkeys(row[0] for row in answer.rows)) == list(HEADLINE)
    assert answer.rows == warehouse.ask("outcomes", measures=list(HEADLINE), **WINDOW).rows


def test_an_answer_says_what_each_figure_is_out_of_and_what_it_leaves_out(warehouse: Loaded):
    answer = warehouse.ask("outcomes", measures="all", group_by="assistant", **WINDOW)
    told = " ".join(answer.meta.notes)
    assert all(f"{each.name}: {each.definition}." in told for each in OUTCOMES.values())
    assert all(len(note) <= 600 for note in answer.meta.notes)
    assert len(answer.meta.notes) <= 12
    assert "Sessions with several assistants count under each" in told
    assert "ratings state no scale" in told
    assert "1 conversions of the window name no session" in told
    assert "too recent to tell" in told
    assert answer.meta.units["value"] == (
        "fraction; outcomes: sessions; rating_mean: points of the scale;"
        " conversion_value: bookings in no unit, sales in EUR or USD"
    )
    tags = warehouse.ask("outcomes", group_by="tag", **WINDOW)
    assert any("several tags" in note for note in tags.meta.notes)


def test_nothing_is_no_data_and_not_0(warehouse: Loaded):
    answer = warehouse.ask("outcomes", measures="all", start_time="2020-01-01", end_time="2020-01-02")
    values = {row["measure"]: (row["value"], row["n"]) for row in answer.records()}
    assert values.pop("outcomes") == (0, 0)
    assert set(values.values()) == {(None, 0)}
    assert answer.meta.n == 0
    assert any("No data in this window" in note for note in answer.meta.notes)
    assert warehouse.ask("outcomes", group_by="tag", start_time="2020-01-01", end_time="2020-01-02").rows == []


def test_what_a_platform_does_not_ask_for_is_unknown_and_said_so(warehouse_of: Callable[..., Loaded]):
    at = "2026-05-06T10:00:00Z"
    outcome = {"type": "outcome", "session_id": "s", "time": at, "platform": "studio_chat", "resolution": "resolved"}
    window = {"start_time": "2026-05-06", "end_time": "2026-05-07"}
    asked = ["csat", "response_rate", "conversions"]
    silent = warehouse_of([outcome])
    answer = silent.ask("outcomes", measures=asked, **window)
    assert [row[2:] for row in answer.rows] == [[None, 0, 0]] * 3
    assert {"No platform here has ratings.", "No platform here has conversions."} <= set(answer.meta.notes)

    def said(figure: str, on: float, day: str, **dimensions: str) -> Record:
        times = {"start_time": f"2026-05-{day}T00:00:00Z", "end_time": f"2026-05-{day}T01:00:00Z"}
        return {"type": "snapshot", "platform": "studio_chat", "metric": f"studio_chat.{figure}.is_configured",
                **times, "value": on, "dimensions": dimensions}  # fmt: skip

    off = [said("csat", 1, "01"), said("csat", 0, "02"), said("conversions", 0, "02", metric="sales")]
    answer = warehouse_of([outcome, *off]).ask("outcomes", measures=asked, **window)
    assert [row[2:] for row in answer.rows] == [[None, 0, 0]] * 3
    assert "studio_chat: ratings are not configured." in answer.meta.notes
    assert "studio_chat: no conversion metric sales is configured." in answer.meta.notes
    on = [*off, said("csat", 1, "03"), said("conversions", 1, "03", metric="sales")]
    answer = warehouse_of([outcome, *on]).ask("outcomes", measures=asked, **window)
    assert answer.rows == [
        ["csat", None, None, 0, 0],
        ["response_rate", None, 0.0, 0, 1],
        ["conversions", "sales", 0.0, 0, 1],
    ]


def test_what_was_not_sent_is_not_sent_however_a_file_says_so(warehouse_of: Callable[..., Loaded]):
    said = (True, "True", "2026-05-06T09:00:00Z", False, "False", "FALSE", "no", 0, "0", None)
    outcomes = [
        {"type": "outcome", "session_id": f"s{n}", "time": "2026-05-06T10:00:00Z", "winback_sent": each}
        for n, each in enumerate(said)
    ]
    answer = warehouse_of(outcomes).ask("outcomes", measures="winback", start_time="2026-05-06", end_time="2026-05-07")
    assert answer.rows[0] == ["winback_rate", "sent", 0.333333, 3, 9]


def test_reasons_in_peoples_own_words_are_bounded(warehouse_of: Callable[..., Loaded]):
    at = "2026-05-06T10:00:00Z"
    many = [
        {"type": "outcome", "session_id": f"s{n}", "time": at, "handoff": True, "handoff_reason": f"reason {n // 2}"}
        for n in range(60)
    ]
    window = {"start_time": "2026-05-06", "end_time": "2026-05-07"}
    rows = warehouse_of(many).ask("outcomes", measures="handoff_reason", **window).rows
    assert len(rows) == 21
    assert rows[-1][1:] == ["other (10 labels)", 0.333333, 20, 60]


def test_what_cannot_be_asked_is_refused_with_what_can(warehouse: Loaded):
    with pytest.raises(InvalidArgument, match="Outcomes have no provider"):
        warehouse.ask("outcomes", filters=["provider=x"])
    with pytest.raises(InvalidArgument, match="Outcomes have no metric_name"):
        warehouse.ask("outcomes", group_by="metric_name")
    with pytest.raises(UnknownName, match="deflection_rate"):
        warehouse.ask("outcomes", measures="deflexion_rate")
    with pytest.raises(InvalidArgument):
        warehouse.ask("outcomes", group_by=["tag", "channel"])
