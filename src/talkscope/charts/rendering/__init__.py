"""Pictures of specs: PNG, SVG and PDF, drawn by a process that stays warm, so that whoever asks goes on answering."""

from __future__ import annotations

from talkscope.charts.rendering.renderer import MOST_BYTES, VEGA_LITE, Kind, Renderer

__all__ = ["MOST_BYTES", "VEGA_LITE", "Kind", "Renderer"]
