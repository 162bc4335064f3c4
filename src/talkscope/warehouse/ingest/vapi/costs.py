"""What a call cost, by component, and which provider and model did the work."""

from __future__ import annotations

from collections.abc import Iterator

from talkscope.warehouse.calls import Charge
from talkscope.warehouse.documents import Item, listed, mapping_of, number_of, rest, text_of

_NAMES = {"transcriber": "asr", "model": "llm", "voice": "tts", "knowledge-base": "knowledge_bank"}
_MAKERS = {"transcriber": "asr", "model": "llm", "voice": "tts"}
_BROKEN_DOWN = {"stt": "asr", "llm": "llm", "tts": "tts", "transport": "transport", "vapi": "vapi", "chat": "chat"}
_ANALYSES = ("summary", "structuredData", "successEvaluation", "structuredOutput")


def charges_of(call: Item) -> list[Charge]:
    """The items of the call's bill in USD: `costs`, or else the coarser `costBreakdown`."""
    costs = [mapping_of(each) for each in listed(call.get("costs"))]
    charges = [_charge(each) for each in costs if each.get("type") is not None]
    return charges or list(_broken_down(mapping_of(call.get("costBreakdown"))))


def components_of(call: Item) -> dict[str, Item]:
    """Provider and model by component, where the call had one only: of the bill, or else of its assistant."""
    assistant = mapping_of(call.get("assistant"))
    billed = [mapping_of(each) for each in listed(call.get("costs"))]
    found: dict[str, Item] = {}
    for name, processor in _MAKERS.items():
        made = [_maker(mapping_of(each.get(name)), processor) for each in billed if each.get("type") == name]
        if not made and assistant.get(name):
            made = [_maker(mapping_of(assistant.get(name)), processor)]
        if made and all(each == made[0] for each in made):
            found[processor] = made[0]
    return found


def _maker(item: Item, processor: str) -> Item:
    provider = text_of(item.get("provider"))
    columns = {"provider": provider, "model": text_of(item.get("model"))}
    columns |= {"voice_provider": provider} if processor == "tts" else {}
    return {name: value for name, value in columns.items() if value is not None}


def _charge(cost: Item) -> Charge:
    kind = str(cost["type"])
    name = _NAMES.get(kind, kind)
    maker = mapping_of(cost.get("model") or cost.get("voice") or cost.get("transcriber"))
    columns = _maker(maker or cost, name)
    told = {
        "input_tokens": _whole(cost.get("promptTokens"), cost.get("promptTextTokens"), cost.get("promptAudioTokens")),
        "output_tokens": _whole(
            cost.get("completionTokens"), cost.get("completionTextTokens"), cost.get("completionAudioTokens")
        ),
        "characters": _whole(cost.get("characters")),
    }
    used = {"type", "cost", *_MAKERS, "provider", "promptTokens", "completionTokens", "characters"}
    columns |= {key: value for key, value in told.items() if value is not None}
    return Charge(name, number_of(cost.get("cost")), columns | {"attributes": rest(cost, used)})


def _broken_down(costs: Item) -> Iterator[Charge]:
    for key, name in _BROKEN_DOWN.items():
        usd = number_of(costs.get(key))
        columns: Item = {}
        if name == "llm":
            columns = {
                "input_tokens": _whole(costs.get("llmPromptTokens")),
                "output_tokens": _whole(costs.get("llmCompletionTokens")),
                "attributes": rest({"cachedPromptTokens": costs.get("llmCachedPromptTokens")}, ()),
            }
        elif name == "tts":
            columns = {"characters": _whole(costs.get("ttsCharacters"))}
        if usd is not None:
            yield Charge(name, usd, columns)
    analysis = mapping_of(costs.get("analysisCostBreakdown"))
    for key in _ANALYSES:
        if (usd := number_of(analysis.get(key))) is not None:
            tokens: Item = {
                "input_tokens": _whole(analysis.get(f"{key}PromptTokens")),
                "output_tokens": _whole(analysis.get(f"{key}CompletionTokens")),
                "attributes": {"analysisType": key},
            }
            yield Charge("analysis", usd, tokens)


def _whole(*values: object) -> int | None:
    """The sum of the counts that are there; None when none is."""
    known = [number for number in map(number_of, values) if number is not None and 0 <= number < 1e15]
    return round(sum(known)) if known else None
