"""Trending topics: whether there is an analysis, how far one is, and what it found."""

from __future__ import annotations

from pydantic import JsonValue

from talkscope.platforms.studio_chat.models.wire import Many, Moment, Wire


class Topic(Wire):
    """One topic that customers brought up; `percentage` is of the conversations analysed."""

    name: str
    description: str | None = None
    insight: str | None = None
    conversation_count: int
    percentage: float | None = None
    sentiment: str | None = None
    sentiment_breakdown: dict[str, JsonValue] | None = None
    handoff_count: int | None = None
    handoff_rate: float | None = None
    conversation_ids: Many[str] = ()
    example_conversations: Many[JsonValue] = ()

    @property
    def handoff_pct(self) -> float | None:
        """Percent of the topic's conversations with a handoff, by the counts: the rate's unit is not documented."""
        count, handoffs = self.conversation_count, self.handoff_count
        return 100 * handoffs / count if count and handoffs is not None else None


class TrendingTopicsAnalysis(Wire):
    """A finished analysis of topics."""

    id: str
    analysis_date: Moment | None = None
    total_conversations: int | None = None
    conversations_analyzed: int | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None
    topics: Many[Topic] = ()


class TrendingTopicsStatus(Wire):
    """Whether an analysis is at hand: `status` is completed, pending or none."""

    status: str
    analysis: TrendingTopicsAnalysis | None = None
    job_id: str | None = None


class TrendingTopicsStarted(Wire):
    """The job that was started."""

    job_id: str
    status: str | None = None


class TrendingTopicsJob(Wire):
    """How far a job is: `status` is pending, running, completed or failed, `progress` percent."""

    id: str
    status: str
    progress: float | None = None
    step: str | int | None = None
    progress_message: str | None = None
    analysis_id: str | None = None
    started_at: Moment | None = None
    completed_at: Moment | None = None
