"""The names that the Convai Analytics API knows, each spelled as it goes over the wire, and every other spelling of it.

The service's documented form is snake_case. Six names are sent in camelCase all the same (turnP75, turnP90, sessionId,
errorCode, asrMetrics, neurosyncMetrics): that is the only form in which existing clients are known to have sent them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from talkscope.errors import unknown
from talkscope.models.semantics import snake


class Measures:
    """What can be measured: `measure` of timeseries and breakdown."""

    COUNT: Final = "count"
    UNIQUE_SESSIONS: Final = "unique_sessions"
    UNIQUE_TURNS: Final = "unique_turns"
    UNIQUE_END_USERS: Final = "unique_end_users"
    ERROR_COUNT: Final = "error_count"
    AVG_VALUE: Final = "avg_value"
    P50_VALUE: Final = "p50_value"
    P95_VALUE: Final = "p95_value"
    P99_VALUE: Final = "p99_value"
    TURN_P50: Final = "turn_p50"
    TURN_P75: Final = "turnP75"
    TURN_P90: Final = "turnP90"
    TURN_P95: Final = "turn_p95"
    TURN_P99: Final = "turn_p99"
    TURN_MAX: Final = "turn_max"


class GroupBy:
    """What can be grouped by: `group_by` of timeseries and breakdown."""

    PROCESSOR: Final = "processor"
    PROVIDER: Final = "provider"
    VOICE_PROVIDER: Final = "voice_provider"
    MODEL: Final = "model"
    CHARACTER_ID: Final = "character_id"
    APP_KEY: Final = "app_key"
    EXPERIENCE_ID: Final = "experience_id"
    SESSION_ID: Final = "sessionId"
    STATUS: Final = "status"
    METRIC_NAME: Final = "metric_name"
    METRIC_TYPE: Final = "metric_type"
    ERROR_CODE: Final = "errorCode"
    INTERACTION_TYPE: Final = "interaction_type"
    END_USER_ID: Final = "end_user_id"


class Segments:
    """Named parts of the metrics: `segment` of timeseries and breakdown."""

    END_TO_END_TURN_LATENCY: Final = "end_to_end_turn_latency"
    NEURO_SYNC_TURN_SUMMARY: Final = "neuro_sync_turn_summary"
    CUSTOM_LATENCY_METRICS: Final = "custom_latency_metrics"
    USER_BOT_LATENCY_METRICS: Final = "user_bot_latency_metrics"
    SMART_TURN_METRICS: Final = "smart_turn_metrics"
    STT_METRICS: Final = "stt_metrics"
    ASR_METRICS: Final = "asrMetrics"
    VAD_METRICS: Final = "vad_metrics"
    TTS_METRICS: Final = "tts_metrics"
    LLM_METRICS: Final = "llm_metrics"
    NEUROSYNC_METRICS: Final = "neurosyncMetrics"


class MetricNames:
    """Metrics that are known by name; the catalogue of an account lists all of its own."""

    VOICE_USER_TO_BOT_LATENCY: Final = "voice.user_to_bot_latency"
    LLM_TTFB: Final = "llm.ttfb"
    LLM_PROMPT_FINGERPRINT: Final = "llm.prompt.fingerprint"
    TTS_TEXT_TO_FIRST_AUDIO: Final = "tts.text_to_first_audio"
    TTS_VOICE_PROVIDER: Final = "tts.voice_provider"
    STT_TRANSCRIPT_AGGREGATION: Final = "stt.transcript_aggregation"
    VAD_SPEECH_CONFIRMATION_DELAY: Final = "vad.speech_confirmation_delay"
    NEUROSYNC_TURN_SUMMARY: Final = "neurosync.turn_summary"
    NEUROSYNC_OUTPUT_FPS: Final = "neurosync.output_fps"
    ERROR_PROVIDER: Final = "error.provider"
    ERROR_TERMINAL: Final = "error.terminal"
    SESSION_CONNECT: Final = "session.connect"
    SESSION_DISCONNECT: Final = "session.disconnect"
    SESSION_RECONNECT: Final = "session.reconnect"
    INTERACTION_INTERRUPTED: Final = "interaction.interrupted"
    INTERACTION_CANCELLED: Final = "interaction.cancelled"
    DB_ERROR_PERSIST_DROPPED: Final = "db.error_persist_dropped"


class MetricNamePrefixes:
    """Beginnings of metrics' names: `metric_name_prefix` of timeseries and breakdown."""

    ERROR: Final = "error."
    LLM: Final = "llm."
    TTS: Final = "tts."
    ASR: Final = "asr."
    NEUROSYNC: Final = "neurosync."
    LLM_SERVICE: Final = "LLMService."


def values(constants: type) -> tuple[str, ...]:
    """The values of a class of constants, in order."""
    return tuple(value for name, value in vars(constants).items() if name.isupper())


REGRESSION_GROUPS = ("overall", "app_key", "character_id", "experience_id", "provider", "voice_provider", "model")
PERCENTILES: Mapping[str, str] = {
    "p50": Measures.P50_VALUE,
    "p75": Measures.TURN_P75,
    "p90": Measures.TURN_P90,
    "p95": Measures.P95_VALUE,
    "p99": Measures.P99_VALUE,
}
"""The measure of each percentile: of single values, which have no p75 and no p90, so that those two are of turns."""
COMPONENTS: Mapping[str, str] = {
    "llm": Segments.LLM_METRICS,
    "tts": Segments.TTS_METRICS,
    "asr": Segments.ASR_METRICS,
    "neurosync": Segments.NEUROSYNC_METRICS,
}
"""The segment of each component whose providers can be compared."""
# Understood by the service as they are, and sent so.
_SHORT = ("avg", "p50", "p95", "p99")


def _wire(names: Iterable[str]) -> dict[str, str]:
    return {snake(name): name for name in names}


_MEASURES = _wire((*values(Measures), *_SHORT))
_GROUPS = _wire(values(GroupBy))
_SEGMENTS = _wire(values(Segments))
_REGRESSION_GROUPS = _wire(REGRESSION_GROUPS)


def measure(word: str) -> str:
    """The measure as the wire has it: p95_value for p95Value. Raises UnknownName with the nearest."""
    return _known("measure", word, _MEASURES)


def group(word: str) -> str:
    """The dimension as the wire has it: voice_provider for voiceProvider. Raises UnknownName with the nearest."""
    return _known("group_by", word, _GROUPS)


def segment(word: str) -> str:
    """The segment as the wire has it: llm_metrics for llmMetrics. Raises UnknownName with the nearest."""
    return _known("segment", word, _SEGMENTS)


def regression_group(word: str) -> str:
    """The same for regressions, which have fewer groups. Raises UnknownName with the nearest."""
    return _known("group_by", word, _REGRESSION_GROUPS)


def is_measure(word: str) -> bool:
    """Whether the word is a measure, in any spelling."""
    return snake(word) in _MEASURES


def chosen(kind: str, word: str, choices: Mapping[str, str]) -> str:
    """What the word stands for among these choices, or UnknownName with the nearest."""
    found = choices.get(str(word))
    if found is None:
        raise unknown(kind, str(word), choices)
    return found


def _known(kind: str, word: str, names: Mapping[str, str]) -> str:
    found = names.get(snake(word))
    if found is None:
        raise unknown(kind, word, names)
    return found
