"""Load the results of tau2-bench, text runs and full-duplex voice runs, as Talkscope records.

    python examples/import_tau2.py results.json | talkscope ingest -
    python examples/import_tau2.py results.json --out records.ndjson
    python examples/import_tau2.py results.json --warehouse ./warehouse

It shows what an importer of your own looks like: plain mappings with a `type`, one after the other. What it decides:

Text runs. A user's message that the assistant answers with text is an interaction; its latency is the answer's time
minus the message's, so it holds the harness's own overhead. Each assistant message is an `llm` span from the message
before it, each tool call an `execute_tool` span from the call to its result. The simulated user's own model calls are
`user_simulator` spans outside of any interaction: tokens and cost that a file states are often theirs alone, and must
not pass for the assistant's (`--agent-only` leaves them out). The message that ends a conversation is never answered,
so it is the event `user.unanswered`; what the assistant says before anyone spoke is `agent.unprompted`.

Outcome. The reward is a rating on a scale of 1. A transfer to a person that a tool confirmed is a `handoff`. A reward
of 1 is `resolved` when the user closed the conversation with ###STOP### and nobody was transferred. All else stays
unknown: a reward of 0 says that the task went wrong, not whether the user gave up.

Voice runs. An interaction starts where the user stops speaking, and its latency runs until the agent starts to speak.
Speech is written as events and not as `vad` or `tts` spans: a flag on an audio chunk is not the work of a component.
Ticks are stamped with the wall clock, which also runs while the harness waits for the simulated user's next line. So
overlaps, which begin with such a wait, are counted in ticks; a latency has its `silent_ticks` beside it.

Times in the files carry no offset: `--timezone` says where the clock was (default UTC).
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import chain, groupby, takewhile
from pathlib import Path
from typing import Any, NamedTuple, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST = 4_000
CHANNELS = {"half_duplex": "chat", "full_duplex": "voice"}
ENDED_WELL = {"user_stop", "agent_stop"}
MARKER = re.compile(r"###[A-Z-]+###\s*$")
NOTED = ("task_id", "trial", "seed", "mode", "duration", "agent_cost", "user_cost", "termination_reason")


def records(path: Path, zone: tzinfo = UTC, *, agent_only: bool = False) -> Iterator[dict[str, Any]]:
    """The records of one results file, or of one simulation by itself; naive times are in `zone`."""
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    for simulation in data.get("simulations", [data]):
        run = _Run(simulation, data.get("info") or {}, zone, agent_only)
        yield run.session()
        yield from voice(run) if simulation.get("ticks") else text(run)


@dataclass(frozen=True)
class _Run:
    """One simulation, what the file says of all of them, and how its times are read."""

    simulation: dict[str, Any]
    info: dict[str, Any]
    zone: tzinfo
    agent_only: bool

    def time(self, stamp: str | None) -> datetime:
        if stamp is None:
            raise ValueError(f"simulation {self.simulation['id']} has a message or tick without a timestamp")
        moment = datetime.fromisoformat(stamp)
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def name(self, part: object) -> str:
        return f"{self.simulation['id']}/{part}"

    def record(self, kind: str, **fields: Any) -> dict[str, Any]:
        fields = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in fields.items()}
        return {"type": kind, "platform": "tau2", "session_id": str(self.simulation["id"]), **known(fields)}

    def event(self, name: str, time: datetime, turn: str | None = None, **more: Any) -> dict[str, Any]:
        own = {key: more.pop(key, None) for key in ("value", "unit", "status")}
        return self.record(
            "event", time=time, metric_name=name, interaction_id=turn, **own, attributes=known(more) or None
        )

    def turn(self, name: str, asked: datetime, answered: datetime, end: datetime, **more: Any) -> dict[str, Any]:
        waited = (answered - asked) / timedelta(milliseconds=1)
        return self.record(
            "interaction", interaction_id=name, start_time=asked, end_time=end, latency_ms=waited, status="ok", **more
        )

    def session(self) -> dict[str, Any]:
        agent, user = self.info.get("agent_info") or {}, self.info.get("user_info") or {}
        character = "/".join(dict.fromkeys(agent[key] for key in ("implementation", "llm") if agent.get(key))) or None
        reason = str(self.simulation.get("termination_reason"))
        noted = {key: self.simulation.get(key) for key in NOTED} | {"user_simulator": user.get("llm")}
        return self.record(
            "session",
            start_time=self.time(self.simulation["start_time"]),
            end_time=self.time(self.simulation["end_time"]),
            app_key=(self.info.get("environment_info") or {}).get("domain_name"),
            character_id=character,
            character_name=character,
            channel=CHANNELS.get(self.simulation.get("mode") or "half_duplex"),
            status="ok" if reason in ENDED_WELL else "error" if "error" in reason else None,
            attributes=known(noted),
        )


def text(run: _Run) -> Iterator[dict[str, Any]]:
    messages = run.simulation.get("messages") or []
    waiting: dict[str, Any] | None = None
    turn: str | None = None
    for index, message in enumerate(messages):
        assistant, said, now = message["role"] == "assistant", message.get("content"), run.time(message["timestamp"])
        if message["role"] == "user" and said:
            if waiting:
                yield unanswered(run, waiting)
            waiting, turn = message, run.name(index)
        if message["role"] == "tool" or (run.agent_only and not assistant):
            continue
        if index:
            yield model_call(run, messages, index, turn)
        elif assistant:
            yield run.event("agent.unprompted", now, text=cut(said))
        yield from tool_calls(run, messages, index, turn)
        if assistant and said and waiting:
            yield run.turn(
                str(turn),
                run.time(waiting["timestamp"]),
                now,
                now,
                interaction_type="text_turn",
                attributes={"input": cut(waiting["content"]), "output": cut(said)},
            )
            waiting = None
    if waiting:
        yield unanswered(run, waiting)
    yield from outcome(run, messages)


def unanswered(run: _Run, message: dict[str, Any]) -> dict[str, Any]:
    said = message["content"]
    return run.event("user.unanswered", run.time(message["timestamp"]), text=cut(said), closes_with=marker_of(said))


def model_call(run: _Run, messages: list[dict[str, Any]], index: int, turn: str | None) -> dict[str, Any]:
    message, before = messages[index], messages[index - 1]
    assistant = message["role"] == "assistant"
    usage, who = message.get("usage") or {}, run.info.get("agent_info" if assistant else "user_info") or {}
    called = [call["name"] for call in message.get("tool_calls") or []]
    return run.record(
        "span",
        span_id=run.name(f"{index}/model"),
        interaction_id=turn if assistant else None,
        processor="llm" if assistant else "user_simulator",
        start_time=run.time(before["timestamp"]),
        end_time=run.time(message["timestamp"]),
        model=(message.get("raw_data") or {}).get("model") or who.get("llm"),
        status="ok",
        input_tokens=usage.get("prompt_tokens"),
        output_tokens=usage.get("completion_tokens"),
        cost_usd=message.get("cost") if usage else message.get("cost") or None,
        attributes={"tools_called": called} if called else None,
    )


def results_of(messages: list[dict[str, Any]], index: int) -> list[dict[str, Any]]:
    return list(takewhile(lambda message: message["role"] == "tool", messages[index + 1 :]))


def tool_calls(run: _Run, messages: list[dict[str, Any]], index: int, turn: str | None) -> Iterator[dict[str, Any]]:
    """Each call with its result. Ids repeat within a conversation, so only the results right after the call count."""
    caller = messages[index]
    results = results_of(messages, index)
    for number, call in enumerate(caller.get("tool_calls") or []):
        result = next((each for each in results if each["id"] == call["id"]), None)
        if result is None:
            yield run.event("tool.unanswered", run.time(caller["timestamp"]), turn, status="error", tool=call["name"])
            continue
        results.remove(result)
        yield run.record(
            "span",
            span_id=run.name(f"{index}/tool/{number}"),
            interaction_id=turn if caller["role"] == "assistant" else None,
            processor="execute_tool" if caller["role"] == "assistant" else "user_tool",
            start_time=run.time(caller["timestamp"]),
            end_time=run.time(result["timestamp"]),
            status="error" if result.get("error") else "ok",
            attributes={
                "tool": call["name"],
                "call_id": call["id"],
                "arguments": cut(json.dumps(call.get("arguments"))),
                "result": cut(result.get("content")),
            },
        )


def outcome(run: _Run, messages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    judged = run.simulation.get("reward_info") or {}
    reward, reason = judged.get("reward"), run.simulation.get("termination_reason")
    transfers = [
        call
        for index, message in enumerate(messages)
        for call in message.get("tool_calls") or []
        if call["name"] == "transfer_to_human_agents"
        and any(result["id"] == call["id"] and not result.get("error") for result in results_of(messages, index))
    ]
    marker = marker_of(messages[-1].get("content")) if messages else None
    resolved = reward == 1 and reason in ENDED_WELL and marker in {None, "###STOP###"}
    if reward is not None or transfers:
        yield run.record(
            "outcome",
            time=run.time(run.simulation["end_time"]),
            resolution="handoff" if transfers else "resolved" if resolved else None,
            summary=transfers[-1]["arguments"].get("summary") if transfers else None,
            rating=reward,
            rating_scale=None if reward is None else 1,
            attributes=known(
                {
                    "termination_reason": reason,
                    "closes_with": marker,
                    "transfers": len(transfers),
                    "reward_breakdown": judged.get("reward_breakdown"),
                }
            ),
        )


class _Speech(NamedTuple):
    """Ticks in a row in which one side speaks: from `first` until before `after`."""

    first: int
    after: int

    @property
    def ticks(self) -> int:
        return self.after - self.first


def speeches(ticks: list[dict[str, Any]], side: str) -> list[_Speech]:
    stretches = groupby(range(len(ticks)), lambda tick: bool(ticks[tick][side]["contains_speech"]))
    runs = [list(stretch) for speaks, stretch in stretches if speaks]
    return [_Speech(run[0], run[-1] + 1) for run in runs]


def voice(run: _Run) -> Iterator[dict[str, Any]]:
    ticks = run.simulation["ticks"]
    user, agent = speeches(ticks, "user_chunk"), speeches(ticks, "agent_chunk")
    stamps = [run.time(tick["timestamp"]) for tick in ticks]
    stamps.append(stamps[-1])  # Speech in the last tick ends with it: nothing later is known.

    def hummed(speech: _Speech) -> bool:
        return (ticks[speech.first]["user_chunk"].get("turn_taking_action") or {}).get("action") == "backchannel"

    asked = [speech for speech in user if not hummed(speech)]
    turns: dict[tuple[str, _Speech], str] = {}
    for speech, until in zip(asked, [*(speech.first for speech in asked[1:]), len(ticks)], strict=True):
        replies = [reply for reply in agent if speech.after <= reply.first < until]
        if not replies:
            yield run.event("user.unanswered", stamps[speech.first])
            continue
        turn = turns["user", speech] = run.name(f"tick-{speech.first}")
        turns |= {("agent", reply): turn for reply in replies}
        yield run.turn(
            turn,
            stamps[speech.after],
            stamps[replies[0].first],
            stamps[replies[-1].after],
            interaction_type="voice_turn",
            attributes={"silent_ticks": replies[0].first - speech.after},
        )
    for who, speech in [*(("user", each) for each in user), *(("agent", each) for each in agent)]:
        name = "user.backchannel" if who == "user" and hummed(speech) else f"speech.{who}"
        spoke = (stamps[speech.after] - stamps[speech.first]) / timedelta(milliseconds=1)
        turn_of = turns.get((who, speech))
        yield run.event(name, stamps[speech.first], turn_of, value=spoke, unit="ms", ticks=speech.ticks)
    for speech in asked:
        for reply in agent:
            both = min(speech.after, reply.after) - max(speech.first, reply.first)
            if both > 0 and reply.first < speech.first:
                told = turns.get(("agent", reply))
                yield run.event("interaction.interrupted", stamps[speech.first], told, value=both, unit="ticks")
            elif both > 0:
                yield run.event("interaction.agent_overlap", stamps[reply.first], value=both, unit="ticks")


def marker_of(said: str | None) -> str | None:
    found = MARKER.search(said or "")
    return found[0].strip() if found else None


def cut(said: str | None) -> str:
    said = said or ""
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…truncated {len(said) - LONGEST} characters"


def known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def hours_behind_utc(path: Path) -> float | None:
    """By how much a file's naive clock runs behind UTC, from messages that state an epoch too; None when none do."""
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    messages = chain.from_iterable(each.get("messages") or [] for each in data.get("simulations", [data]))
    behind = [
        created - stamp.replace(tzinfo=UTC).timestamp()
        for message in messages
        if (created := (message.get("raw_data") or {}).get("created"))
        and not (stamp := datetime.fromisoformat(message["timestamp"])).tzinfo
    ]
    return round(statistics.median(behind) / 900) / 4 if behind else None


def zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"no such time zone: {name!r}") from error


def write(found: Iterable[dict[str, Any]], file: TextIO) -> None:
    for record in found:
        print(json.dumps(record), file=file)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Load results of tau2-bench as Talkscope records.")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a results file or a single simulation")
    parser.add_argument("--timezone", type=zone, default=UTC, help="zone of times without an offset (default UTC)")
    parser.add_argument("--agent-only", action="store_true", help="leave out the simulated user's model and tool calls")
    target = parser.add_mutually_exclusive_group()
    target.add_argument("--out", type=Path, metavar="FILE", help="write NDJSON to a file instead of to standard output")
    target.add_argument("--warehouse", type=Path, metavar="FOLDER", help="load into a warehouse")
    options = parser.parse_args(arguments)
    print(f"Times without an offset are read as {options.timezone}.", file=sys.stderr)
    for path in options.paths:
        if options.timezone is UTC and (hours := hours_behind_utc(path)):
            print(f"{path.name}: epochs in it say that its clock is {hours:g} h behind UTC.", file=sys.stderr)
    found = chain.from_iterable(
        records(path, options.timezone, agent_only=options.agent_only) for path in options.paths
    )
    if options.warehouse:
        import talkscope

        print(talkscope.ingest(found, warehouse=options.warehouse))
    elif options.out:
        with options.out.open("w", encoding="utf-8") as file:
            write(found, file)
    else:
        write(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
