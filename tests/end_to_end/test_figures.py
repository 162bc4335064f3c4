"""Every figure that the server answers, computed again in plain Python from the raw records and compared by label."""

from __future__ import annotations

import pytest

from talkscope.models.buckets import Grain, label
from tests.end_to_end.asking import ask, by_label, same, shown, within
from tests.oracle import CASES, Case, World, buckets
from tests.server.wire import Wire

YEAR = CASES[0]
HEADLINES = ("sessions", "interactions", "end_users", "errors", "error_rate", "avg", "p50", "p95", "p99")
SESSION_WORDS = ("platform", "channel", "language", "app_key", "character_id", "experience_id", "end_user_id")
TURN_WORDS = ("status", "interaction_type")
SPAN_WORDS = ("processor", "provider", "voice_provider", "model", "error_code")
OUTCOME_WORDS = ("resolution", "handoff_reason", "sentiment", "tag")
USAGE = ("input_tokens", "output_tokens", "characters", "cost_usd")
ENDINGS = ("outcomes", "handoffs", "handoff_rate", "deflection_rate")
LATENCY = ("avg", "p50", "p75", "p90", "p95", "p99", "max")
VOLUME = ("sessions", "interactions", "end_users", "count", "errors", "error_rate")

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@each_case
def test_the_headlines_of_every_window(server: Wire, world: World, case: Case):
    answer = ask(server, "get_summary", **within(case))
    expected = {name: world.measure(name, start=case.start, end=case.end)[()] for name in HEADLINES}
    if not expected["sessions"][0]:
        assert answer["meta"]["n"] == 0
    for (name,), (value, n) in by_label(answer, ["measure"], ["value", "n"]).items():
        assert same(value, expected[name][0]), name
        assert n == expected[name][1], name


def test_the_window_before_is_as_long_and_ends_where_the_window_begins(server: Wire, world: World):
    case = CASES[5]
    answer = ask(server, "get_summary", **within(case))
    start = 2 * case.start - case.end
    for (name,), (value, previous, change) in by_label(answer, ["measure"], ["value", "previous", "change"]).items():
        expected = world.measure(name, start=start, end=case.start)[()][0]
        assert same(previous, expected), name
        assert same(change, (value - expected) / expected if value is not None and expected else None, 0.0001), name


def check_breakdown(server: Wire, world: World, case: Case, measures: tuple[str, ...], words: list[str], **more):
    answer = ask(server, "get_breakdown", measures=list(measures[:8]), group_by=words, limit=500, **within(case))
    assert not any("other" in str(row[0]) for row in answer["rows"])
    assert not [note for note in answer["meta"].get("notes", []) if "left out" in note or "are shown" in note]
    first_n = {measures[0]: "n"}
    for name in measures[:8]:
        columns = [name, first_n[name]] if name in first_n else [name]
        got = by_label(answer, words, columns)
        expected = world.measure(name, start=case.start, end=case.end, by=tuple(words))
        assert set(got) >= {shown(key) for key in expected}, name
        for key, (value, n) in expected.items():
            assert same(got[shown(key)][0], value), (name, key, got[shown(key)], value)
            if len(columns) > 1:
                assert got[shown(key)][1] == n, (name, key)


@pytest.mark.parametrize("word", SESSION_WORDS + TURN_WORDS)
@pytest.mark.parametrize("measures", [VOLUME, LATENCY, USAGE], ids=["volume", "latency", "usage"])
def test_measures_by_a_dimension_of_sessions_or_turns(server: Wire, world: World, word: str, measures):
    for case in CASES[:6]:
        check_breakdown(server, world, case, measures, [word])


@pytest.mark.parametrize("word", SPAN_WORDS)
@pytest.mark.parametrize("measures", [VOLUME, LATENCY, USAGE], ids=["volume", "latency", "usage"])
def test_measures_by_a_dimension_of_spans(server: Wire, world: World, word: str, measures):
    for case in CASES[:6]:
        check_breakdown(server, world, case, measures, [word])


@pytest.mark.parametrize("word", OUTCOME_WORDS + SESSION_WORDS)
def test_how_sessions_ended(server: Wire, world: World, word: str):
    for case in CASES[:6]:
        check_breakdown(server, world, case, ENDINGS, [word])


@pytest.mark.parametrize("words", [["provider", "model"], ["processor", "channel"], ["channel", "language"]])
def test_measures_by_two_dimensions(server: Wire, world: World, words: list[str]):
    check_breakdown(server, world, YEAR, ("p95", "count", "error_rate"), words)


def cuts() -> list[tuple[Case, Grain]]:
    """Every window in every grain that one answer can hold; what it cannot hold is made coarser, tested elsewhere."""
    lengths: dict[Grain, int] = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800, "month": 2_500_000}
    return [(case, grain) for case in CASES for grain, each in lengths.items() if case.end - case.start < each * 3e8]


@pytest.mark.parametrize(("case", "grain"), cuts(), ids=str)
def test_measures_over_time_in_the_zones_own_buckets(server: Wire, world: World, case: Case, grain: Grain):
    cut = buckets(case.start, case.end, grain, case.zone)
    for measures in (("sessions", "interactions", "end_users", "errors"), ("p50", "p95"), ("cost_usd",)):
        answer = ask(server, "get_timeseries", measures=list(measures), granularity=grain, **within(case))
        if not answer["rows"]:
            assert all(not world.measure(name, start=case.start, end=case.end)[()][1] for name in measures)
            continue
        assert answer["meta"]["granularity"] == grain
        assert [row[0] for row in answer["rows"]] == [label(each.start, grain, case.zone) for each in cut]
        for name in measures:
            expected = world.measure(name, start=case.start, end=case.end, bucket=(grain, case.zone))
            for each, row in zip(cut, answer["rows"], strict=True):
                value = expected.get((each.start,), (None, 0))[0]
                got = row[answer["columns"].index(name)]
                assert same(got or None, value or None), (name, row)


def test_a_time_series_by_a_dimension(server: Wire, world: World):
    case = CASES[4]
    answer = ask(
        server, "get_timeseries", measures=["p95"], granularity="day", group_by="processor", limit=50, **within(case)
    )
    got = by_label(answer, ["bucket", "processor"], ["p95", "n"])
    expected = world.measure("p95", start=case.start, end=case.end, by=("processor",), bucket=("day", case.zone))
    for (start, name), (value, n) in expected.items():
        cell = got[(label(int(str(start)), "day", case.zone), *shown([name]))]
        assert same(cell[0], value)
        assert cell[1] == n


@pytest.mark.parametrize(
    "filters",
    [
        [("channel", "=", "voice")],
        [("channel", "!=", "voice")],
        [("channel", "=", "voice"), ("channel", "=", "chat"), ("language", "!=", "de")],
        [("status", "=", "error"), ("status", "=", "timeout")],
        [("character_id", "=", "char-a")],
        [("character_id", "!=", "char-a")],
        [("processor", "=", "llm"), ("provider", "!=", "openai")],
        [("app_key", "=", "nothing'; DROP TABLE sessions; --")],
    ],
    ids=lambda filters: " ".join("".join(each) for each in filters),
)
def test_filters(server: Wire, world: World, filters):
    words = ["".join(each) for each in filters]
    over_spans = any(name in SPAN_WORDS for name, _, _ in filters)
    measures = ("interactions", "errors", "p95", "sessions")
    for case in CASES[:3]:
        answer = ask(
            server, "get_breakdown", measures=list(measures), group_by=["platform"], filters=words, **within(case)
        )
        for name in measures:
            expected = world.measure(name, start=case.start, end=case.end, where=filters, by=("platform",))
            got = by_label(answer, ["platform"], [name])
            for key, (value, _) in expected.items():
                assert same(got[shown(key)][0], value), (name, key, over_spans)


@pytest.mark.parametrize("metric", ["voice.user_to_bot_latency", "llm.ttfb", "tts.processing"])
def test_a_metric_by_name(server: Wire, world: World, metric: str):
    answer = ask(
        server,
        "get_breakdown",
        measures=["p95", "count", "errors"],
        metric_name=metric,
        group_by="channel",
        **within(YEAR),
    )
    for name in ("p95", "count", "errors"):
        expected = world.measure(name, start=YEAR.start, end=YEAR.end, by=("channel",), metric_name=metric)
        got = by_label(answer, ["channel"], [name])
        assert {key: value for key, (value,) in got.items()} == pytest.approx(
            {shown(key): value for key, (value, _) in expected.items()}, abs=0.00051
        )


def test_metrics_by_prefix(server: Wire, world: World):
    answer = ask(
        server,
        "get_breakdown",
        measures=["count", "sessions"],
        metric_name_prefix="error.",
        group_by="processor",
        **within(YEAR),
    )
    for name in ("count", "sessions"):
        expected = world.measure(name, start=YEAR.start, end=YEAR.end, by=("processor",), metric_name_prefix="error.")
        got = by_label(answer, ["processor"], [name])
        assert {key: value for key, (value,) in got.items()} == {
            shown(key): value for key, (value, _) in expected.items()
        }


@each_case
@pytest.mark.parametrize("sort", ["recent", "longest", "slowest", "errors"])
def test_sessions_page_by_page(server: Wire, world: World, case: Case, sort: str):
    expected = world.sessions(case.start, case.end, sort=sort)
    got, cursor = [], None
    while True:
        words = {"cursor": cursor} if cursor else within(case)
        page = ask(server, "list_sessions", sort=sort, limit=20, **words)
        names = ["session_id", "platform", "interactions", "errors", "p95_ms", "duration_sec"]
        at = [page["columns"].index(name) for name in names]
        got += [[row[i] for i in at] for row in page["rows"]]
        cursor = page["meta"].get("next_cursor")
        if not cursor:
            break
    assert [(row[0], row[1]) for row in got] == [shown((each.session_id, each.platform)) for each in expected]
    for row, each in zip(got, expected, strict=True):
        assert row[2:4] == [each.interactions, each.errors]
        assert same(row[4], each.p95)
        assert same(row[5], each.duration / 1e6)


@each_case
def test_concurrency(server: Wire, world: World, case: Case):
    answer = ask(server, "get_concurrency", **within(case))
    peak, _, at_level = world.concurrency(case.start, case.end)
    assert answer["peak"] == peak
    assert {int(level): seconds for level, seconds in answer["time_at_level"].items() if seconds} == pytest.approx(
        {level: us / 1e6 for level, us in at_level.items() if us}, abs=0.001
    )
    if answer["rows"]:
        grain = answer["meta"]["granularity"]
        peaks = world.concurrency_buckets(case.start, case.end, (grain, case.zone))
        got = {row[0]: row[answer["columns"].index("peak")] for row in answer["rows"]}
        assert got == {label(start, grain, case.zone): peak for start, peak in peaks.items()}


def check_attribution(server: Wire, world: World, case: Case, by: str, percentile: str | None = None) -> None:
    words = {"percentile": percentile} if percentile else {}
    answer = ask(server, "get_latency_breakdown", by=by, limit=100, **words, **within(case))
    expected = world.attribution(case.start, case.end, by, percentile=int(percentile[1:]) if percentile else None)
    assert answer["meta"]["n"] == expected.turns
    got = by_label(answer, [by], ["total_ms", "share"])
    labels = {None: "unattributed", "": None}
    for key, us in expected.shares.items():
        total, share = got[shown((labels.get(key, key),))]
        assert same(total, us / 1e3)
        assert same(share, us / expected.total if expected.total else None, 1e-6)
    if expected.total:
        assert sum(share for _, share in got.values()) == pytest.approx(1, abs=1e-5)


@each_case
@pytest.mark.parametrize("by", ["processor", "provider", "model"])
def test_where_the_time_of_turns_goes(server: Wire, world: World, case: Case, by: str):
    check_attribution(server, world, case, by)


@pytest.mark.parametrize("case", CASES[:5], ids=lambda case: case.name)
@pytest.mark.parametrize("by", ["processor", "provider", "model"])
@pytest.mark.parametrize("percentile", ["p50", "p95"])
def test_where_the_time_of_the_turns_at_a_percentile_goes(
    server: Wire, world: World, case: Case, by: str, percentile: str
):
    check_attribution(server, world, case, by, percentile)
