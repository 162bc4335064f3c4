"""One turn, component by component, each where it would start: its interaction, its spans and its events.

A voice turn runs vad, asr, on some turns knowledge_bank, llm, tts and transport: tts starts at the first sentence while
the llm still writes, and the first audio leaves through transport. A chat turn runs moderation, memory, knowledge_bank
and llm; its text shows with the first token. The small gaps between components are nobody's time. A tool is called
inside an llm span, as its child. Latency runs from the end of the user's words to that first audio or text, failures
with a stock phrase included; it is unknown where nothing was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from talkscope.jobs.demo import world
from talkscope.jobs.demo.incidents import OUTAGE_CODE, Effects
from talkscope.jobs.demo.telemetry import Event, Interaction, Span
from talkscope.jobs.demo.world import Asr, Llm, Takes, Tts


@dataclass(frozen=True, slots=True)
class Cast:
    """What a session keeps from turn to turn."""

    session_id: str
    channel: str
    llm: Llm
    asr: Asr
    tts: Tts


class Turn:
    """A turn that starts at `start` (microseconds UTC); made, it holds its records."""

    def __init__(self, rng: Random, cast: Cast, effects: Effects, start: int, index: int) -> None:
        """Play the turn through to its end."""
        self._rng, self._cast, self._effects = rng, cast, effects
        self._id = f"{cast.session_id}-{index:02d}"
        self._index, self._start, self._at = index, start, start
        self._first_token = self._tokens = 0
        self._answered: int | None = None
        self._status, self._stage = "ok", ""
        self.spans: list[Span] = []
        self.events: list[Event] = []
        fate = self._fate()
        if cast.channel == "voice":
            self._voice(fate)
        else:
            self._chat(fate)
        self.end = max([self._at, *(s.end_time for s in self.spans), *(e.time for e in self.events)])
        self.interaction = self._interaction()
        if self._status == "ok" and not self.events and rng.random() < world.SPANS_LOST:
            self.spans = []

    def _interaction(self) -> Interaction:
        known = self._answered is not None and self._rng.random() >= world.LATENCY_LOST
        return Interaction(
            interaction_id=self._id,
            session_id=self._cast.session_id,
            start_time=self._start,
            end_time=self.end,
            index=self._index,
            interaction_type="voice_turn" if self._cast.channel == "voice" else "text_turn",
            latency_ms=(self._answered - self._start) / 1_000 if known and self._answered is not None else None,
            status=self._status,
            failure_stage=self._stage or None,
        )

    def _fate(self) -> str:
        if self._cast.channel == "voice":
            outage = self._effects.tts_outage(self._cast.tts.provider, self._start)
            if outage and self._rng.random() < outage:
                return "tts_outage"
        return world.fate(self._rng, self._cast.channel)

    def _voice(self, fate: str) -> None:
        self._plain("vad", world.VAD)
        if not self._asr(fate == "asr_error"):
            return
        if self._rng.random() < world.KNOWLEDGE_SHARE:
            self._plain("knowledge_bank", world.KNOWLEDGE_BANK)
        if self._answer(fate) and self._tts(fate):
            self._plain("transport", world.TRANSPORT)
            self._answered = self._at
            self._play()

    def _chat(self, fate: str) -> None:
        self._plain("moderation", world.MODERATION)
        if self._rng.random() < world.MEMORY_SHARE:
            self._plain("memory", world.MEMORY)
        if self._rng.random() < world.KNOWLEDGE_SHARE:
            self._plain("knowledge_bank", world.KNOWLEDGE_BANK)
        if self._answer(fate):
            self._answered = self._first_token + self._gap()

    def _gap(self) -> int:
        return self._rng.randint(800, 6_000)

    def _add(
        self,
        processor: str,
        start: int,
        end: int,
        vendor: Asr | Llm | Tts | None = None,
        status: str = "ok",
        error_code: str | None = None,
        ttfb: int | None = None,
        parent_id: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        characters: int | None = None,
        cost_usd: float | None = None,
        attributes: dict[str, str] | None = None,
    ) -> Span:
        span = Span(
            span_id=f"{self._id}-{len(self.spans) + 1}",
            session_id=self._cast.session_id,
            interaction_id=self._id,
            processor=processor,
            start_time=start,
            end_time=end,
            status=status,
            parent_id=parent_id,
            provider=vendor.provider if vendor else None,
            voice_provider=vendor.provider if isinstance(vendor, Tts) else None,
            model=vendor.model if vendor else None,
            error_code=error_code,
            ttfb_ms=None if ttfb is None else ttfb / 1_000,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            characters=characters,
            cost_usd=cost_usd,
            attributes=attributes,
        )
        self.spans.append(span)
        return span

    def _plain(self, processor: str, takes: Takes) -> None:
        start = self._at + self._gap()
        self._at = start + takes.draw(self._rng)
        self._add(processor, start, self._at)

    def _asr(self, fails: bool) -> bool:
        asr, rng, start = self._cast.asr, self._rng, self._at + self._gap()
        took = asr.takes.draw(rng, 3.0 if fails else 1.0)
        self._at = start + took
        if fails:
            self._fail(self._add("asr", start, self._at, asr, "error", rng.choice(world.ERROR_CODES["asr"])), asr)
            return False
        cost = None if asr.price is None else round(asr.price * rng.uniform(1.0, 9.0), 8)
        self._add("asr", start, self._at, asr, ttfb=round(took * rng.uniform(0.3, 0.6)), cost_usd=cost)
        return True

    def _answer(self, fate: str) -> bool:
        llm = self._cast.llm
        if fate == "recovered":
            failed = self._stop_llm("error", self._rng.choice(world.ERROR_CODES["llm"][:2]))
            if self._rng.random() < 0.5:
                self._note("error.provider", failed, llm)
            llm = world.LLMS["gpt-4o-mini" if llm.provider == "google" else "gemini-2.5-flash"]
        elif fate == "llm_error":
            self._fail(self._stop_llm("error", self._rng.choice(world.ERROR_CODES["llm"])), llm)
            return False
        elif fate == "llm_timeout":
            self._fail(self._stop_llm("timeout", "deadline_exceeded"), llm)
            return False
        elif fate == "cancelled":
            self._stop_llm("cancelled", None)
            self._status = "cancelled"
            self.events.append(Event(self._cast.session_id, self._at, "interaction.interrupted", self._id))
            return False
        self._llm(llm)
        return True

    def _stop_llm(self, status: str, error_code: str | None) -> Span:
        llm, start = self._cast.llm, self._at + self._gap()
        factor = self._effects.llm_factor(llm.provider, llm.model, start)
        took = llm.ttfb.draw(self._rng, factor * self._rng.uniform(0.3, 0.9))
        self._at = start + (world.LLM_TIMEOUT_MS * 1_000 if status == "timeout" else took)
        return self._add("llm", start, self._at, llm, status, error_code)

    def _llm(self, llm: Llm) -> None:
        rng, start = self._rng, self._at + self._gap()
        factor = self._effects.llm_factor(llm.provider, llm.model, start)
        median, sigma = world.TOKENS[self._cast.channel]
        tokens = max(3, round(Takes(median, sigma).draw(rng) / 1_000))
        prompt = 420 + 60 * self._index + rng.randint(0, 240)
        ttfb = llm.ttfb.draw(rng, factor)
        tool = None
        if rng.random() < world.TOOL_SHARE:
            asked = start + ttfb + self._gap()
            tool = (asked, asked + world.TOOL.draw(rng))
            ttfb = tool[1] - start + llm.ttfb.draw(rng, factor * 0.7)
        per_token = 1_000_000 / llm.speed * factor
        self._tokens, self._first_token = tokens, start + ttfb
        end = start + ttfb + round(tokens * per_token)
        cost = None
        if llm.price is not None:
            cost = round((prompt * llm.price[0] + tokens * llm.price[1]) / 1_000_000, 8)
        parent = self._add("llm", start, end, llm, ttfb=ttfb, input_tokens=prompt, output_tokens=tokens, cost_usd=cost)
        if tool is not None:
            self._add("execute_tool", *tool, parent_id=parent.span_id, attributes={"tool": rng.choice(world.TOOLS)})
        spoken = self._first_token + round(min(tokens, world.FIRST_SENTENCE) * per_token)
        self._at = min(spoken, end) if self._cast.channel == "voice" else end

    def _tts(self, fate: str) -> bool:
        tts, rng, start = self._cast.tts, self._rng, self._at + self._gap()
        ttfb = tts.ttfb.draw(rng)
        if fate in ("tts_error", "tts_outage"):
            code = OUTAGE_CODE if fate == "tts_outage" else rng.choice(world.ERROR_CODES["tts"])
            self._at = start + round(ttfb * rng.uniform(0.5, 3.0))
            self._fail(self._add("tts", start, self._at, tts, "error", code), tts)
            return False
        characters = round(self._tokens * world.CHARACTERS_PER_TOKEN)
        written = max(span.end_time for span in self.spans)
        end = max(start + ttfb + round(characters * tts.ms_per_character * 1_000), written + ttfb // 2)
        cost = round(characters * tts.price / 1_000_000, 8)
        self._add("tts", start, end, tts, ttfb=ttfb, characters=characters, cost_usd=cost)
        self._at = start + ttfb
        return True

    def _play(self) -> None:
        rng, heard = self._rng, self._at
        lasts = round(self._tokens * world.CHARACTERS_PER_TOKEN * world.PLAYBACK_MS_PER_CHARACTER * 1_000)
        if rng.random() < world.INTERRUPTED:
            lasts = round(lasts * rng.uniform(0.1, 0.9))
            self.events.append(Event(self._cast.session_id, heard + lasts, "interaction.interrupted", self._id))
        if rng.random() < world.FPS_SHARE:
            self.events.append(
                Event(
                    self._cast.session_id,
                    heard + lasts // 2,
                    "neurosync.output_fps",
                    self._id,
                    metric_type="NeuroSyncMetricsData",
                    value=round(min(60.0, rng.gauss(57.5, 2.0)), 2),
                    unit="fps",
                    processor="neurosync",
                )
            )
        self._at = heard + lasts

    def _note(self, name: str, span: Span, vendor: Asr | Llm | Tts) -> None:
        self.events.append(
            Event(
                self._cast.session_id,
                self._at,
                name,
                self._id,
                processor=span.processor,
                provider=vendor.provider,
                model=vendor.model,
                status=span.status,
                error_code=span.error_code,
            )
        )

    def _fail(self, span: Span, vendor: Asr | Llm | Tts) -> None:
        rng = self._rng
        self._status, self._stage = span.status, span.processor
        self._note("error.provider", span, vendor)
        if rng.random() < world.PERSIST_DROPPED:
            self.events.append(
                Event(self._cast.session_id, self._at, "db.error_persist_dropped", value=1.0, unit="count")
            )
        if rng.random() < world.FALLBACK_SHARE:
            self._answered = self._at + 120_000 + self._gap()
            self._at = self._answered + (1_800_000 if self._cast.channel == "voice" else 0)
        if rng.random() < world.TERMINAL_SHARE:
            self._note("error.terminal", span, vendor)
