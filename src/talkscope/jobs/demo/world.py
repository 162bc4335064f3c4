"""The demo's world as tables: who talks to whom, through which components, how long they take and how they fail.

Durations are log-normal: a median and the sigma of the logarithm (0.35 puts p95 at 1.8 times the median). Prices are
US dollars and only resemble real ones; google's are unknown here, so that its cost stays null and never 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Takes:
    """A log-normal duration."""

    median_ms: float
    sigma: float

    def draw(self, rng: Random, factor: float = 1.0) -> int:
        """One duration in microseconds, at least one."""
        return max(1, round(self.median_ms * 1_000 * factor * math.exp(rng.gauss(0.0, self.sigma))))


@dataclass(frozen=True, slots=True)
class Asr:
    """Speech to text: the time to the final transcript, and dollars per second of audio."""

    provider: str
    model: str
    takes: Takes
    price: float | None


@dataclass(frozen=True, slots=True)
class Llm:
    """A language model: time to first token, tokens a second, dollars per million tokens in and out."""

    provider: str
    model: str
    ttfb: Takes
    speed: float
    price: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Tts:
    """Text to speech: time to first audio, milliseconds per character, dollars per million characters."""

    provider: str
    model: str
    ttfb: Takes
    ms_per_character: float
    price: float


@dataclass(frozen=True, slots=True)
class Character:
    """A character of an app, its share of the sessions, and what it runs on, each with its share."""

    character_id: str
    name: str
    app: str
    share: float
    llms: dict[str, float]
    voices: dict[str, float]


ASRS = {
    "deepgram": Asr("deepgram", "nova-3", Takes(150, 0.30), 0.000072),
    "google": Asr("google", "chirp-2", Takes(215, 0.35), None),
}
ASR_SHARES = {"deepgram": 0.65, "google": 0.35}

# claude-sonnet-4-5 is like the others here: what makes it slow is the planted incident.
LLMS = {
    "gpt-4o": Llm("openai", "gpt-4o", Takes(440, 0.35), 95, (2.5, 10.0)),
    "gpt-4o-mini": Llm("openai", "gpt-4o-mini", Takes(390, 0.33), 110, (0.15, 0.6)),
    "gemini-2.5-flash": Llm("google", "gemini-2.5-flash", Takes(420, 0.32), 115, None),
    "claude-sonnet-4-5": Llm("anthropic", "claude-sonnet-4-5", Takes(430, 0.33), 100, (3.0, 15.0)),
}
TTSS = {
    "elevenlabs": Tts("elevenlabs", "eleven_flash_v2_5", Takes(185, 0.33), 2.2, 100.0),
    "cartesia": Tts("cartesia", "sonic-2", Takes(150, 0.30), 2.0, 65.0),
    "azure": Tts("azure", "dragon-hd", Takes(235, 0.30), 2.6, 22.0),
}

CHARACTERS = (
    Character(
        "char_ada",
        "Ada the Guide",
        "demo-museum",
        0.315,
        {"gpt-4o": 0.65, "gemini-2.5-flash": 0.35},
        {"elevenlabs": 0.7, "cartesia": 0.3},
    ),
    Character(
        "char_bruno",
        "Bruno at the Desk",
        "demo-storefront",
        0.27,
        {"gpt-4o-mini": 0.75, "gpt-4o": 0.25},
        {"elevenlabs": 0.5, "azure": 0.5},
    ),
    Character(
        "char_cleo",
        "Cleo the Curator",
        "demo-museum",
        0.20,
        {"gemini-2.5-flash": 0.6, "gpt-4o-mini": 0.4},
        {"cartesia": 0.6, "elevenlabs": 0.4},
    ),
    Character(
        "char_dara",
        "Dara from Billing",
        "demo-storefront",
        0.17,
        {"gpt-4o": 0.6, "gpt-4o-mini": 0.4},
        {"azure": 0.5, "cartesia": 0.5},
    ),
    Character("char_quill", "Professor Quill", "demo-museum", 0.045, {"claude-sonnet-4-5": 1.0}, {"elevenlabs": 1.0}),
)
LANGUAGES = {"en-US": 0.52, "es-ES": 0.16, "de-DE": 0.12, "fr-FR": 0.09, "ja-JP": 0.06, "hi-IN": 0.05}
CHANNELS = {"voice": 0.66, "chat": 0.34}
EXPERIENCES = {
    ("demo-museum", "voice"): "exp_gallery_kiosk",
    ("demo-museum", "chat"): "exp_museum_web",
    ("demo-storefront", "voice"): "exp_phone_line",
    ("demo-storefront", "chat"): "exp_shop_web",
}

# End users: the one at rank r comes back with weight r ** -0.9; some sessions have nobody known.
USERS = 420
USER_SKEW = 0.9
ANONYMOUS = 0.04

# Load: Monday to Sunday (mean 1), and the hours of a UTC day, with a morning and an afternoon peak.
WEEKDAYS = (1.08, 1.12, 1.15, 1.14, 1.06, 0.78, 0.67)
HOURS = (1, 1, 1, 1, 1, 2, 3, 5, 8, 10, 11, 10, 9, 10, 12, 12, 11, 9, 8, 7, 5, 4, 3, 2)

# Turns a session: log-normal, rounded, at least 1 and at most 40; and the user's time between an answer and the next.
TURNS = {"voice": (5.2, 0.60), "chat": (4.5, 0.60)}
PAUSE = {"voice": Takes(6_500, 0.50), "chat": Takes(60_000, 0.80)}

# The components that have no provider, and the share of turns that use them where it is not all.
VAD = Takes(55, 0.30)
MODERATION = Takes(38, 0.35)
MEMORY = Takes(46, 0.45)
KNOWLEDGE_BANK = Takes(95, 0.50)
TRANSPORT = Takes(32, 0.45)
TOOL = Takes(270, 0.70)
KNOWLEDGE_SHARE = 0.28
MEMORY_SHARE = 0.50
TOOL_SHARE = 0.09
TOOLS = ("lookup_order", "search_catalog", "opening_hours", "open_ticket")

# What an answer is made of: output tokens (log-normal), characters a token, tokens before speech can begin.
TOKENS = {"voice": (38.0, 0.45), "chat": (90.0, 0.55)}
CHARACTERS_PER_TOKEN = 4.2
FIRST_SENTENCE = 12
PLAYBACK_MS_PER_CHARACTER = 58

# Chances per turn, besides the incidents: what ends it badly, and what is missing from its record.
FATES = {
    "voice": {
        "asr_error": 0.003,
        "llm_error": 0.004,
        "llm_timeout": 0.002,
        "tts_error": 0.006,
        "cancelled": 0.010,
        "recovered": 0.005,
    },
    "chat": {"llm_error": 0.004, "llm_timeout": 0.002, "cancelled": 0.008, "recovered": 0.005},
}
ERROR_CODES = {
    "asr": ("stream_closed", "no_transcript"),
    "llm": ("rate_limited", "overloaded", "content_filter"),
    "tts": ("synthesis_failed", "quota_exceeded"),
}
LLM_TIMEOUT_MS = 8_000
FALLBACK_SHARE = 0.6  # a failed turn in which a stock phrase is still played, so that its latency is known
LATENCY_LOST = 0.008
SPANS_LOST = 0.005
INTERRUPTED = 0.05
FPS_SHARE = 0.25
TERMINAL_SHARE = 0.3
PERSIST_DROPPED = 0.25

# Per session: an error that belongs to no turn, and an end that was never reported.
SESSION_ERROR = 0.008
END_LOST = 0.015

OUTCOME_SHARE = 0.70
USUAL_HANDOFF = 0.14
HANDOFF_REASONS = {"user_request": 0.35, "bot_limitation": 0.25, "billing": 0.15, "frustration": 0.15, "policy": 0.10}
INTENTS = ("track an order", "plan a visit", "ask about an exhibit", "change a booking", "pay a bill", "just talk")


def pick(rng: Random, shares: dict[str, float]) -> str:
    """One of the names, by its share of the whole."""
    left = rng.random() * sum(shares.values())
    for name, share in shares.items():
        left -= share
        if left < 0:
            return name
    return next(reversed(shares))


def fate(rng: Random, channel: str) -> str:
    """What becomes of a turn: the name of a failure, or `ok`."""
    left = rng.random()
    for name, chance in FATES[channel].items():
        left -= chance
        if left < 0:
            return name
    return "ok"
