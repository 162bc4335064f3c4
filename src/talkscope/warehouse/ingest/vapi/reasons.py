"""What Vapi's words stand for: kinds of calls, the reasons for which a call ended, evaluations of its success."""

from __future__ import annotations

import re
from dataclasses import dataclass

from talkscope.warehouse.documents import Item, listed, mapping_of, number_of, text_of

TYPES = {"inboundPhoneCall": "phone", "outboundPhoneCall": "phone", "webCall": "web", "vapi.websocketCall": "websocket"}
"""Types of calls, and their channels."""

_PIPELINE = re.compile(r"(?:pipeline-error|call\.in-progress\.error-(?:vapifault|providerfault|pipeline))-(.+)")
_FAULT = re.compile(
    r"error|failed|not-valid|not-found|invalid-assistant|no-assistant|join-timed-out|worker-shutdown|closed-websocket"
)
_KIND = re.compile(r"-(voice|llm|transcriber|video)(?:-|$)")
_COMPONENTS = {"voice": "tts", "llm": "llm", "transcriber": "asr", "video": "avatar"}
_PROVIDERS = {
    provider: component
    for component, providers in {
        "tts": "cartesia eleven-labs playht lmnt azure rime-ai smallest-ai neuphonic hume sesame inworld wellsaid",
        "asr": "deepgram gladia speechmatics assembly-ai talkscriber azure-speech soniox custom-transcriber",
        "avatar": "tavus",
        "llm": "openai azure-openai groq google xai mistral minimax inflection-ai cerebras deep-seek baseten anthropic "
        "anthropic-bedrock anthropic-vertex together-ai anyscale openrouter perplexity-ai deepinfra runpod custom-llm "
        "vapi",
    }.items()
    for provider in providers.split()
}
"""Providers as the reasons spell them, and what fails when no component is named."""
_LONGEST_FIRST = sorted(_PROVIDERS, key=len, reverse=True)
_OTHERWISE = {"eleven-labs": "11labs"}
"""The name that Vapi gives a provider everywhere else."""

_HANDED_OVER = {
    "assistant-forwarded-call",
    "assistant-request-returned-forwarding-phone-number",
    "call.ringing.hook-executed-transfer",
    "call.ending.hook-executed-transfer",
}
_NOT_HANDED_OVER = re.compile(r"warm-transfer|transfer-failed|during-transfer|operator-busy")
_ABANDONED = {
    "silence-timed-out",
    "customer-ended-call-before-warm-transfer",
    "customer-ended-call-during-transfer",
    "call.ringing.sip-inbound-caller-hungup-before-call-connect",
}
_PASSED = {"true", "pass", "passed", "yes", "success", "successful"}
_SCALES = {"NumericScale": 10.0, "PercentageScale": 100.0}
_RATING = re.compile(r"(-?\d+(?:\.\d+)?)\s*(?:(%)|(?:/|out of)\s*(\d+(?:\.\d+)?))?")


@dataclass(frozen=True, slots=True)
class Fault:
    """What ended a call with an error, as far as the reason says."""

    provider: str | None = None
    component: str | None = None


def fault_of(reason: str) -> Fault | None:
    """The error that a reason tells of; None when the call ended as calls do."""
    if not _FAULT.search(reason):
        return None
    named = _PIPELINE.fullmatch(reason)
    kind = _KIND.search(reason)
    component = _COMPONENTS[kind[1]] if kind else None
    if named is None:
        return Fault(None, component)
    provider = next((each for each in _LONGEST_FIRST if re.match(rf"{each}(-|$)", named[1])), None)
    if provider is None:
        return Fault(None, component)
    return Fault(_OTHERWISE.get(provider, provider), component or _PROVIDERS[provider])


def handed_over(call: Item, reason: str) -> bool:
    """Whether a person, or whoever answers a number, took the call over; another assistant of the squad is nobody."""
    if reason in _HANDED_OVER:
        return True
    if _NOT_HANDED_OVER.search(reason):
        return False
    if mapping_of(call.get("destination")).get("type") in ("number", "sip"):
        return True
    for transfer in listed(mapping_of(call.get("artifact")).get("transfers")):
        status = text_of(mapping_of(transfer).get("status")) or ""
        if transfer and not re.search("fail|cancel|error|busy|no-answer|timeout", status, re.IGNORECASE):
            return True
    return False


def resolution_of(call: Item, reason: str, evaluation: str | None) -> str | None:
    """How the call ended for the user; None where nothing says so. Leaving a message resolves nothing."""
    if handed_over(call, reason):
        return "handoff"
    if reason == "voicemail":
        return None
    if evaluation is not None and evaluation.lower() in _PASSED:
        return "resolved"
    return "abandoned" if reason in _ABANDONED else None


def rating_of(call: Item, evaluation: str | None) -> tuple[float | None, float | None]:
    """The evaluation as a rating and the best there is, where it is a number: of 10, a percentage, `8/10`."""
    found = _RATING.fullmatch((evaluation or "").strip())
    if found is None:
        return None, None
    rating = number_of(found[1])
    plan = mapping_of(mapping_of(call.get("assistant")).get("analysisPlan"))
    rubric = text_of(mapping_of(plan.get("successEvaluationPlan")).get("rubric") or plan.get("successEvaluationRubric"))
    scale = 100.0 if found[2] else number_of(found[3]) or _SCALES.get(rubric or "")
    # The only rubric of bare numbers goes from 1 to 10.
    scale = scale or (10.0 if rating is not None and 1 <= rating <= 10 else None)
    # More than the best there is stays a text of the analysis: it is no reason to refuse the outcome.
    return (None, None) if rating is not None and scale is not None and rating > scale else (rating, scale)
