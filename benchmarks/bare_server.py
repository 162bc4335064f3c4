"""A server of the SDK's own making with as many typed tools as Talkscope has, and nothing behind them."""

# ruff: noqa: ARG001 - the tools are here to be listed
from __future__ import annotations

from typing import Annotated, Literal

from mcp.server import MCPServer
from pydantic import BaseModel, Field

Range = Literal["last_15m", "last_1h", "last_6h", "last_24h", "last_7d", "last_30d"]
Grain = Literal["minute", "hour", "day", "week", "month"]
Start = Annotated[str, Field(description="ISO 8601, instead of range")]
End = Annotated[str, Field(description="exclusive")]
Zone = Annotated[str, Field(description="IANA")]
Filters = Annotated[tuple[str, ...], Field(description="dimension=value or dimension!=value")]
Words = Annotated[tuple[str, ...], Field(description="names")]
Limit = Annotated[int, Field(ge=1, le=500)]


class Table(BaseModel):
    """Columns and rows."""

    columns: list[str]
    rows: list[list[int | float | str | None]]
    notes: list[str] = Field(default_factory=list)


EMPTY = Table(columns=[], rows=[])
server = MCPServer("bare")


@server.tool()
async def summary(
    range: Range = "last_24h", start: Start = "", end: End = "", zone: Zone = "UTC", filters: Filters = ()
) -> Table:
    """Headline figures of a window."""
    return EMPTY


@server.tool()
async def timeseries(
    measures: Words,
    range: Range = "last_24h",
    start: Start = "",
    end: End = "",
    zone: Zone = "UTC",
    filters: Filters = (),
    granularity: Grain = "hour",
    group_by: Words = (),
    limit: Limit = 5,
) -> Table:
    """Measures over time."""
    return EMPTY


@server.tool()
async def breakdown(
    measures: Words,
    group_by: Words,
    range: Range = "last_24h",
    start: Start = "",
    end: End = "",
    zone: Zone = "UTC",
    filters: Filters = (),
    limit: Limit = 20,
) -> Table:
    """Measures by one or two dimensions."""
    return EMPTY


@server.tool()
async def latency(
    by: Literal["processor", "provider", "model"] = "processor",
    percentile: Literal["p50", "p75", "p90", "p95", "p99"] = "p95",
    range: Range = "last_24h",
    start: Start = "",
    end: End = "",
    zone: Zone = "UTC",
    filters: Filters = (),
) -> Table:
    """Where the time goes."""
    return EMPTY


@server.tool()
async def sessions(
    sort: Literal["recent", "longest", "slowest", "errors"] = "recent",
    range: Range = "last_24h",
    start: Start = "",
    end: End = "",
    zone: Zone = "UTC",
    filters: Filters = (),
    limit: Limit = 25,
    cursor: str = "",
) -> Table:
    """Sessions of a window."""
    return EMPTY


@server.tool()
async def session(session_id: str, limit: Limit = 100, cursor: str = "", zone: Zone = "UTC") -> Table:
    """One session's timeline."""
    return EMPTY


@server.tool()
async def interaction(interaction_id: str, zone: Zone = "UTC") -> Table:
    """One interaction's spans."""
    return EMPTY


@server.tool()
async def explain(
    session_id: str = "", range: Range = "last_24h", start: Start = "", end: End = "", zone: Zone = "UTC"
) -> Table:
    """What made a session slow."""
    return EMPTY


@server.tool()
async def concurrency(
    range: Range = "last_24h",
    start: Start = "",
    end: End = "",
    zone: Zone = "UTC",
    filters: Filters = (),
    granularity: Grain = "hour",
) -> Table:
    """Sessions active at once."""
    return EMPTY


@server.tool()
async def regressions(
    measure: str = "p95",
    current: Range = "last_24h",
    baseline: Range = "last_7d",
    group_by: str = "overall",
    threshold: Annotated[float, Field(ge=0, le=10)] = 0.15,
    filters: Filters = (),
) -> Table:
    """What got worse."""
    return EMPTY


@server.tool()
async def catalog(kind: Literal["all", "measure", "dimension", "metric"] = "all") -> Table:
    """What can be measured."""
    return EMPTY


@server.tool()
async def query(
    measures: Words, dimensions: Words = (), filters: Filters = (), limit: Limit = 100, zone: Zone = "UTC"
) -> Table:
    """A restricted query."""
    return EMPTY


if __name__ == "__main__":
    server.run("stdio")
