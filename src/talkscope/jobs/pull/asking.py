"""Calls made of a command line's words: named ones, whose words are checked, and paths as they are.

Raises InvalidArgument, UnknownName or UnknownArgument with the nearest, before anything is sent.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import TypeAlias, cast
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from talkscope import contract, flow, platforms
from talkscope.errors import BadAnswer, InvalidArgument, Json, NotSupported, TalkscopeError, unknown
from talkscope.flow import AnyCall, Call, Download, Param, query
from talkscope.models.text import clean
from talkscope.models.v1 import routes
from talkscope.models.v1.asked import V1Asked
from talkscope.platforms import convai

PLATFORMS = (*platforms.NAMES, "convai")
Makes: TypeAlias = Callable[..., AnyCall]

_CONVAI: Mapping[str, Makes] = {
    call.__name__: cast("Makes", call)
    for call in (
        convai.summary, convai.timeseries, convai.breakdown, convai.list_sessions, convai.get_session,
        convai.get_interaction, convai.catalog, convai.regression_detection, convai.query_cube,
    )
}  # fmt: skip
# The questions' own names beside those of the calls.
_ALSO = {
    "sessions": "list_sessions",
    "session": "get_session",
    "interaction": "get_interaction",
    "regressions": "regression_detection",
    "query": "query_cube",
}
_WORDS: Mapping[str, type[V1Asked]] = {
    "summary": routes.SUMMARY.params,
    "timeseries": routes.TIMESERIES.params,
    "breakdown": routes.BREAKDOWN.params,
    "list_sessions": routes.SESSIONS.params,
    "regression_detection": routes.REGRESSION.params,
}
_CUBE: Json = {"measures": ["SessionMetrics.count"]}
_PROJECT = re.compile(r"\{(project|project_id|pid)\}")
# Kept as they are in a path; a percent sign begins an escape that somebody has made already.
_PLAIN = "/%:@!$&'()*+,;=~-._"
_LETTERS, _DIGITS = "zz-any-zz", 918_273_645


def platform_of(word: str) -> str:
    """The platform's name, of a word in kebab or snake case. Raises UnknownName."""
    name = word.replace("-", "_").lower()
    if name not in PLATFORMS:
        raise unknown("platform", clean(word, 60), [each.replace("_", "-") for each in PLATFORMS])
    return name


def calls(platform: str) -> Mapping[str, Makes]:
    """Every call of a platform by its name, in snake case, downloads included."""
    if platform == "convai":
        return _CONVAI
    found = platforms.platform(platform).calls
    if platform == "general_bots":
        from talkscope.platforms.general_bots import document

        return {**found, "document": document}
    return found


def named(
    platform: str, name: str, words: Sequence[tuple[str, str]], *, body: Json = None, project_id: str = ""
) -> AnyCall:
    """The call of that name with these words; a body's fields are words too, and its own call takes it whole."""
    known = calls(platform)
    word = name.replace("-", "_").lower()
    word = _ALSO.get(word, word) if platform == "convai" else word
    if word not in known:
        raise unknown("call", clean(name, 60), [each.replace("_", "-") for each in known])
    make = known[word]
    takes = words_of(platform, word)
    told: dict[str, object] = {}
    for key, value in words:
        spelled = key.replace("-", "_")
        if spelled in told:
            raise InvalidArgument(f"{clean(key, 60)} is given twice.", hint="Separate its values with commas.")
        told[spelled] = value
    told.update(_of_body(takes, told, body))
    contract.only(list(takes), told)
    if "project_id" in takes and "project_id" not in told:
        if not project_id:
            raise InvalidArgument("project_id is missing.", hint="Set STUDIO_PROJECT_ID, or give --param project_id=.")
        told["project_id"] = project_id
    lacking = next((each for each, needed in takes.items() if needed and each not in told), None)
    if lacking is not None:
        how = f"--param {lacking}=…" if lacking not in ("question", "request") else "--body with a JSON object"
        raise InvalidArgument(f"{lacking} is missing.", hint=f"Give {how}.", code="missing_argument")
    return make(**{key: _typed(platform, word, key, value) for key, value in told.items()})


def words_of(platform: str, name: str) -> Mapping[str, bool]:
    """The words that a call takes, each with whether it is needed."""
    if platform == "convai" and name in _WORDS:
        return dict.fromkeys(_WORDS[name].model_fields, False)
    known = inspect.signature(calls(platform)[name]).parameters
    return {each: parameter.default is parameter.empty for each, parameter in known.items()}


def raw(
    platform: str,
    where: str,
    params: Sequence[tuple[str, str]],
    *,
    method: str | None = None,
    body: Json = None,
    url: str = "",
    project_id: str = "",
) -> AnyCall:
    """The call of a path below the account's address, its parameters passed on as they are.

    Where the path is a known call's, its pages can be followed; a POST that is not known to only read is not
    `read_only`.
    """
    spelled, _, asked = where.partition("?")
    told = [*parse_qsl(asked, keep_blank_values=True), *params]
    path = _path(spelled, urlsplit(url).path.rstrip("/"), project_id)
    verb = method or ("GET" if body is None else "POST")
    if verb == "GET" and body is not None:
        raise InvalidArgument("A GET has no body.", hint="Add --method POST, or leave --body out.")
    if platform == "mavenoid":
        # The vendor counts a request against the right limit only when days comes last.
        told.sort(key=lambda pair: pair[0] == "days")
    found = next((call for kind, shape, call in _routes(platform) if kind == verb and shape.fullmatch(path)), None)
    if found is None:
        found = Call(path, _as_it_is, method="POST" if verb == "POST" else "GET", read_only=verb == "GET")
    grouped: dict[str, list[str]] = {}
    for name, value in told:
        grouped.setdefault(name, []).append(value)
    call = replace(found, path=path, params=(), body=body, nullable=True, scalar=True)
    several: dict[str, Param] = {name: values[0] if len(values) == 1 else values for name, values in grouped.items()}
    if platform == "mavenoid":
        return replace(call, params=query(several))
    try:
        return call.changed(several)
    except ValueError:
        # A page size or an offset that is no number: the service may say what it thinks of it.
        return replace(call, params=query(several), next=None)


def permit(call: AnyCall, *, allowed: bool) -> None:
    """Raise NotSupported for a call that may change something, unless that is allowed."""
    if not call.read_only and not allowed:
        raise NotSupported(
            "This call may change what the platform holds.",
            hint="Set TALKSCOPE_ALLOW_SIDE_EFFECTS=1 if that is meant.",
            code="side_effects_off",
        )


def as_said(call: AnyCall) -> AnyCall:
    """The same call, answered with the service's JSON as it is, also where it is not what was promised.

    What the call knows to be a refusal, though its status says otherwise, is raised all the same.
    """

    def said(value: Json) -> Json:
        typed(call, value)
        return value

    return call if isinstance(call, Download) else replace(call, parse=said)


def typed(call: AnyCall, value: Json) -> object:
    """The typed answer, None where the service's JSON is not what was promised."""
    try:
        answer: object = flow.typed(call, value)
    except BadAnswer:
        return None
    return answer


def _as_it_is(value: Json) -> Json:
    return value


def _of_body(takes: Mapping[str, bool], told: Mapping[str, object], body: Json) -> dict[str, object]:
    """The words that a body gives: all of it as one word, or each of its fields."""
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise InvalidArgument("--body is no JSON object.", hint='Give one, such as \'{"name": "value"}\'.')
    whole_ = next((name for name in ("question", "request") if name in takes), None)
    if whole_ is not None:
        return {whole_: body}
    twice = next((name for name in body if name in told), None)
    if twice is not None:
        raise InvalidArgument(f"{clean(twice, 60)} is given twice, in --body too.", hint="Give it once.")
    return dict(body)


def _typed(platform: str, call: str, name: str, value: object) -> object:
    """A word as its call takes it; the calls of most platforms read texts themselves."""
    fields = _WORDS[call].model_fields if platform == "convai" and call in _WORDS else {}
    kind = fields[name].annotation if name in fields else str
    if not isinstance(value, str) or kind not in (int, float):
        return value
    try:
        return int(value) if kind is int else float(value)
    except ValueError:
        raise InvalidArgument(f"{name} must be a number.", hint=f"Correct {name}, or leave it out.") from None


def _path(spelled: str, base: str, project_id: str) -> str:
    """The path below the account's address, percent-encoded."""
    if "{" in spelled and _PROJECT.search(spelled):
        if not project_id:
            raise InvalidArgument("There is no project for the path.", hint="Set STUDIO_PROJECT_ID, or write its id.")
        spelled = _PROJECT.sub(lambda _: quote(project_id, safe=""), spelled)
    if base and spelled.startswith(f"{base}/"):
        spelled = spelled.removeprefix(base)
    parts = spelled.split("/")[1:]
    if any(unquote(part) in (".", "..") for part in parts) or "{" in spelled:
        raise InvalidArgument("The path has a part that is none.", hint="Write ids in the place of {names}.")
    if not spelled.startswith("/") or "" in parts[:-1] or not parts[0]:
        raise InvalidArgument(
            "The path has an empty part.", hint="Write /a/path; an environment variable in it may not be set."
        )
    return quote(spelled, safe=_PLAIN)


@cache
def _routes(platform: str) -> tuple[tuple[str, re.Pattern[str], AnyCall], ...]:
    """Where each call of a platform is, found by making it of words that no path has; those that cannot be so."""
    found = []
    for name, make in calls(platform).items():
        needed = [each for each, is_needed in words_of(platform, name).items() if is_needed]
        call = _made(make, needed)
        if call is not None and not isinstance(call, Download):
            shape = re.escape(call.path)
            for any_ in (_LETTERS, str(_DIGITS)):
                shape = shape.replace(re.escape(any_), "[^/]+")
            found.append((call.method, re.compile(shape), call))
    # A path without ids is that call's, also where it could be another one with its last part as an id.
    found.sort(key=lambda each: each[1].pattern.count("[^/]+"))
    return tuple(found)


def _made(make: Makes, needed: Sequence[str]) -> AnyCall | None:
    for values in product((_LETTERS, _DIGITS, _CUBE), repeat=len(needed)):
        try:
            return make(**dict(zip(needed, values, strict=True)))
        except TalkscopeError:
            continue
    return None
