"""Makes the demo's telemetry: a month of conversations that never happened, and what is true of them.

Everything follows from `now`, `days`, `seed` and `sessions_per_day`; the tables are in `world`, what goes wrong on
purpose in `incidents`. Sessions arrive by weekday and hour (UTC), nothing lies at or after `now`, and a session whose
next turn would is still open: no end, no disconnect, no outcome.
"""

from __future__ import annotations

import itertools
from datetime import datetime
from pathlib import Path
from random import Random

from talkscope.errors import InvalidArgument
from talkscope.jobs.demo import world
from talkscope.jobs.demo.compute import truth_of
from talkscope.jobs.demo.incidents import Effects, planted
from talkscope.jobs.demo.telemetry import DAY, HOUR, Event, Outcome, Session, Telemetry
from talkscope.jobs.demo.truth import Truth
from talkscope.jobs.demo.turns import Cast, Turn
from talkscope.models.records import micros

FEWEST_DAYS = 8
MOST_DAYS = 366


def generate(folder: Path, *, now: datetime, days: int = 30, seed: int = 7, sessions_per_day: int = 120) -> Truth:
    """Write the demo's telemetry and its truth into a folder, the same bytes for the same arguments.

    The files are session.ndjson, interaction.ndjson, span.ndjson, event.ndjson, outcome.ndjson and truth.json; files
    of those names are replaced, the folder is made where it is missing. `now` is aware and ends the telemetry; the
    default size is about 3,600 sessions, 21,000 interactions and 97,000 spans.
    Raises InvalidArgument for a naive `now`, fewer than 8 or more than 366 days, fewer than 1 session a day.
    """
    telemetry = imagine(now=now, days=days, seed=seed, sessions_per_day=sessions_per_day)
    truth = truth_of(telemetry, now=now, days=days, seed=seed, incidents=planted(now, days))
    folder.mkdir(parents=True, exist_ok=True)
    telemetry.write(folder)
    (folder / "truth.json").write_bytes(truth.to_json())
    return truth


def imagine(*, now: datetime, days: int = 30, seed: int = 7, sessions_per_day: int = 120) -> Telemetry:
    """The demo's telemetry in memory, nothing written; arguments and errors are those of `generate`."""
    if now.tzinfo is None:
        raise InvalidArgument("now has no UTC offset.", hint="Give an aware datetime.")
    if not FEWEST_DAYS <= days <= MOST_DAYS:
        raise InvalidArgument(f"days is {days}.", hint=f"Give {FEWEST_DAYS} to {MOST_DAYS}.")
    if sessions_per_day < 1:
        raise InvalidArgument(f"sessions_per_day is {sessions_per_day}.", hint="Give at least 1.")
    return _Demo(Random(seed), Effects(planted(now, days)), micros(now)).run(days, sessions_per_day)


class _Demo:
    """The lists that grow while sessions are made one after the other."""

    def __init__(self, rng: Random, effects: Effects, now: int) -> None:
        self._rng, self._effects, self._now = rng, effects, now
        self._users = [(f"user_{rank:04d}", world.pick(rng, world.LANGUAGES)) for rank in range(1, world.USERS + 1)]
        self._user_weights = list(itertools.accumulate(rank**-world.USER_SKEW for rank in range(1, world.USERS + 1)))
        self._sessions: list[Session] = []
        self._turns: list[Turn] = []
        self._events: list[Event] = []
        self._outcomes: list[Outcome] = []

    def run(self, days: int, sessions_per_day: int) -> Telemetry:
        """All sessions that begin in the days before now."""
        for number, start in enumerate(self._starts(days, sessions_per_day), 1):
            self._session(f"demo-{number:05d}", start)
        return Telemetry(
            sessions=self._sessions,
            interactions=[turn.interaction for turn in self._turns],
            spans=[span for turn in self._turns for span in turn.spans],
            events=self._events,
            outcomes=self._outcomes,
        )

    def _starts(self, days: int, sessions_per_day: int) -> list[int]:
        first = self._now - days * DAY
        starts = []
        for day in range(first // DAY, self._now // DAY + 1):
            expected = sessions_per_day * world.WEEKDAYS[(day + 3) % 7]  # day 0 of 1970 was a Thursday
            for _ in range(max(1, round(self._rng.gauss(expected, expected**0.5 / 2)))):
                hour = self._rng.choices(range(24), world.HOURS)[0]
                starts.append(day * DAY + hour * HOUR + self._rng.randrange(HOUR))
        return sorted(start for start in starts if first <= start < self._now)

    def _session(self, session_id: str, start: int) -> None:
        rng = self._rng
        character = rng.choices(world.CHARACTERS, [character.share for character in world.CHARACTERS])[0]
        channel = world.pick(rng, world.CHANNELS)
        cast = Cast(
            session_id,
            channel,
            world.LLMS[world.pick(rng, character.llms)],
            world.ASRS[world.pick(rng, world.ASR_SHARES)],
            world.TTSS[world.pick(rng, character.voices)],
        )
        user, language = rng.choices(self._users, cum_weights=self._user_weights)[0]
        known = rng.random() >= world.ANONYMOUS
        last, turns, closed = self._talk(cast, start)
        end = last + rng.randrange(500_000, 9_000_000)
        closed = closed and end < self._now
        reported = closed and rng.random() >= world.END_LOST
        self._sessions.append(
            Session(
                session_id=session_id,
                start_time=start,
                end_time=end if reported else None,
                app_key=character.app,
                character_id=character.character_id,
                character_name=character.name,
                experience_id=world.EXPERIENCES[character.app, channel],
                channel=channel,
                language=language,
                end_user_id=user if known else None,
                attributes={"generated": True},
            )
        )
        if reported:
            self._events.append(Event(session_id, end, "session.disconnect"))
        if closed and rng.random() < world.OUTCOME_SHARE:
            self._outcome(session_id, end, any(turn.interaction.status in ("error", "timeout") for turn in turns))

    def _talk(self, cast: Cast, start: int) -> tuple[int, list[Turn], bool]:
        """Play the turns; the time of the last fact, the turns, and whether the talk came to its end before now."""
        rng = self._rng
        turns: list[Turn] = []
        last = start + rng.randrange(20_000, 400_000)
        if last >= self._now:
            return start, [], False
        self._events.append(Event(cast.session_id, last, "session.connect"))
        if rng.random() < world.SESSION_ERROR:
            self._events.append(
                Event(
                    cast.session_id,
                    last,
                    "error.terminal",
                    processor="transport",
                    status="error",
                    error_code="ice_failed",
                )
            )
        median, sigma = world.TURNS[cast.channel]
        wanted = min(40, max(1, round(world.Takes(median, sigma).draw(rng) / 1_000)))
        for index in range(wanted):
            turn = Turn(rng, cast, self._effects, last + world.PAUSE[cast.channel].draw(rng), index)
            if turn.end >= self._now:
                return last, turns, False
            self._turns.append(turn)
            self._events.extend(turn.events)
            turns.append(turn)
            last = turn.end
        return last, turns, True

    def _outcome(self, session_id: str, end: int, had_failures: bool) -> None:
        rng, at = self._rng, end + self._rng.randrange(1_000_000, 40_000_000)
        if at >= self._now:
            return
        handoff = self._effects.handoff_chance(world.USUAL_HANDOFF, at)
        abandoned = (1 - handoff) * (0.35 if had_failures else 0.15)
        rest = 1 - handoff - abandoned
        resolution = world.pick(
            rng, {"handoff": handoff, "abandoned": abandoned, "resolved": rest, "open": 0.02, "": 0.02}
        )
        content = {"resolved": 0.85, "handoff": 0.45}.get(resolution, 0.3)
        mood = world.pick(rng, {"positive": content * 0.6, "neutral": 0.3, "negative": (1 - content) * 0.6})
        rated = rng.random() < 0.4
        stars = {"positive": 4.5, "neutral": 3.6, "negative": 2.0}[mood]
        self._outcomes.append(
            Outcome(
                session_id=session_id,
                time=at,
                resolution=resolution or None,
                handoff_reason=self._reason(at) if resolution == "handoff" else None,
                deflection_quality=rng.choice(("resolved", "partial", "actioned"))
                if resolution == "resolved"
                else None,
                rating=float(min(5, max(1, round(rng.gauss(stars, 0.8))))) if rated else None,
                rating_scale=5.0 if rated else None,
                sentiment=mood,
                recontact_risk={"positive": "low", "neutral": "medium", "negative": "high"}[mood],
                user_intent=rng.choice(world.INTENTS),
            )
        )

    def _reason(self, at: int) -> str:
        subject = self._effects.handoff_subject(at)
        if subject is not None and self._rng.random() < 0.85:
            return subject
        return world.pick(self._rng, world.HANDOFF_REASONS)
