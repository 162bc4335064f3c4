"""The oracle's front: load batches of raw records, ask any figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from . import attribution as times
from . import concurrency as levels
from . import listing, measures
from .facts import Fact, Telemetry, telemetry
from .measures import Figure, Group, Where


@dataclass(frozen=True, slots=True)
class World:
    """Everything that was loaded, as facts. Times are integer microseconds UTC, windows [start, end)."""

    data: Telemetry

    @classmethod
    def load(cls, *batches: Iterable[Mapping[str, object]]) -> World:
        """Load raw records; each batch is one file, and a later one wins where records differ."""
        return cls(telemetry(_at_home([list(batch) for batch in batches])))

    def extent(self) -> tuple[int, int] | None:
        """The start of the first and of the last fact, None when there is none."""
        times = [fact.start for fact in self.data.everything]
        return (min(times), max(times)) if times else None

    def measure(
        self,
        name: str,
        *,
        start: int,
        end: int,
        where: Where = (),
        by: Sequence[str] = (),
        bucket: tuple[str, str] | None = None,
        metric_name: str | None = None,
        metric_name_prefix: str | None = None,
    ) -> dict[Group, Figure]:
        """The measure in each group that has a row: {(bucket start, dimension values…): (value, n)}."""
        return measures.measure(
            self.data,
            name,
            start=start,
            end=end,
            where=where,
            by=by,
            bucket=bucket,
            metric_name=metric_name,
            metric_name_prefix=metric_name_prefix,
        )

    def concurrency(self, start: int, end: int, where: Where = ()) -> tuple[int, int, dict[int, int]]:
        """The peak, the first instant at it, and microseconds at each level."""
        return levels.concurrency(self.data, start, end, where)

    def concurrency_buckets(
        self, start: int, end: int, bucket: tuple[str, str] | Sequence[int], where: Where = ()
    ) -> dict[int, int]:
        """The highest level in each bucket, by its start; `bucket` is (grain, zone) or the edges themselves."""
        return levels.concurrency_buckets(self.data, start, end, bucket, where)

    def attribution(
        self, start: int, end: int, by: str, percentile: int | None = None, where: Where = ()
    ) -> times.Attribution:
        """Summed microseconds by group (None: covered by no span, "": the span has no value), total, turns."""
        return times.attribution(self.data, start, end, by=by, percent=percentile, where=where)

    def trace(self, interaction_id: str, platform: str | None = None) -> times.Trace:
        """One interaction's spans, gaps and path; KeyError when the id is not one interaction's."""
        return times.trace(self.data, interaction_id, platform)

    def sessions(self, start: int, end: int, sort: str = "recent", where: Where = ()) -> list[listing.SessionRow]:
        """The sessions with a fact in the window: recent, longest, slowest or errors first."""
        return listing.sessions(self.data, start, end, sort, where)

    def slowest_turn(
        self, session_id: str, start: int | None = None, end: int | None = None, platform: str | None = None
    ) -> listing.SlowestTurn:
        """The slowest turn that has spans, and the slower ones that have none."""
        return listing.slowest_turn(self.data, session_id, start, end, platform)

    def timeline(self, session_id: str, platform: str | None = None) -> list[Fact]:
        """One session's metric rows in order of time."""
        return listing.timeline(self.data, session_id, platform)

    def metric_names(self, start: int, end: int) -> dict[str, int]:
        """The metric names that have rows in the window, with how many."""
        return listing.metric_names(self.data, start, end)

    def regression(
        self,
        name: str,
        *,
        current: tuple[int, int],
        baseline: tuple[int, int],
        where: Where = (),
        by: Sequence[str] = (),
        metric_name: str | None = None,
        metric_name_prefix: str | None = None,
    ) -> dict[Group, listing.Comparison]:
        """Both windows' figures and values by session in each group; the baseline is without the current window."""
        return listing.regression(
            self.data,
            name,
            current=current,
            baseline=baseline,
            where=where,
            by=by,
            metric_name=metric_name,
            metric_name_prefix=metric_name_prefix,
        )


def _at_home(batches: list[list[Mapping[str, object]]]) -> list[list[Mapping[str, object]]]:
    """A record that names no platform is of the platform of its session's records, when they name one and only one."""
    homes: dict[str, set[str]] = {}
    for record in (record for batch in batches for record in batch):
        if record["type"] == "session" and record.get("platform"):
            homes.setdefault(str(record["session_id"]), set()).add(str(record["platform"]))
    settled: list[list[Mapping[str, object]]] = []
    for batch in batches:
        settled.append([])
        for record in batch:
            home = homes.get(str(record["session_id"]), set())
            own = {"platform": next(iter(home))} if len(home) == 1 and not record.get("platform") else {}
            settled[-1].append({**record, **own})
    return settled
