"""A month of made-up telemetry with planted incidents, and the truth about it, to try every question on."""

from __future__ import annotations

from talkscope.jobs.demo.generate import generate
from talkscope.jobs.demo.truth import Truth

__all__ = ["Truth", "generate"]
