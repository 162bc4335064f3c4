"""The report's charts: which form draws which answer. Altair is imported with the first one."""

from __future__ import annotations

from talkscope.charts.drawing import Drawing
from talkscope.models.answers import Answer, ConcurrencyAnswer, TurnAnswer


def band(answer: Answer) -> Drawing:
    """Percentiles over time, with what lies between them."""
    from talkscope.charts import line

    return line.draw(answer, band=True)


def lines(answer: Answer) -> Drawing:
    """Measures over time."""
    from talkscope.charts import line

    return line.draw(answer)


def heat(answer: Answer) -> Drawing:
    """A measure by day and hour."""
    from talkscope.charts import heatmap

    return heatmap.draw(answer)


def bars(answer: Answer) -> Drawing:
    """A measure by a dimension."""
    from talkscope.charts import bar

    return bar.draw(answer)


def active(answer: Answer) -> Drawing:
    """Sessions active at once."""
    from talkscope.charts import area

    assert isinstance(answer, ConcurrencyAnswer)
    return area.draw(answer)


def failures(answer: Answer, dropped: Answer | None) -> Drawing:
    """Errors, their rate and dropped error events over time."""
    from talkscope.charts import reliability

    return reliability.draw(answer, dropped)


def spans(answer: TurnAnswer) -> Drawing:
    """One turn's spans where they lie in time."""
    from talkscope.charts import waterfall

    return waterfall.draw(answer)
