"""What a service says of itself, compared with the contract that our clients are written against."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from talkscope import settings
from talkscope.client import Client
from talkscope.errors import BadAnswer, Json
from talkscope.flow import Call
from talkscope.platforms.convai import KEY_HEADER
from talkscope.platforms.convai.vocabulary import REGRESSION_GROUPS, GroupBy, Measures, Segments, values
from talkscope.settings import AccountSettings, Settings
from talkscope.surface.changes import Change, Members, between

_V1, _ASK = "/v1/analytics/", "/v1/ask/"
_REGRESSIONS = "/v1/analytics/regression-detection"
# Words that our contract leaves open and our clients fill with names that they know.
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "measure": values(Measures),
    "group_by": values(GroupBy),
    "segment": values(Segments),
}


def served(url: str, set_up: Settings | None = None) -> dict[str, Json]:
    """The OpenAPI document of a service, whose address ends in /v1/analytics; asked with the key that is set, if any.

    Raises the errors of `talkscope.errors`; InvalidArgument for an address to which no key is sent.
    """
    with Client(url.rstrip("/"), key=_key(set_up or settings.read()), key_header=KEY_HEADER) as client:
        return client.send(Call("/openapi.json", _document))


def against(ours: Members, theirs: Members) -> list[Change]:
    """What differs for a client of ours: breaking where the service lacks or refuses what ours builds on.

    Routes of the v1 contract are compared, and the questions where the service has any. Null beside a type is not: our
    clients read it in every field that they do not need.
    """
    wanted = (_V1, _ASK) if any(path.startswith(_ASK) for path in _paths(theirs)) else (_V1,)
    expected = {path: item for path, item in _paths(ours).items() if path.startswith(wanted)}
    # A document need not list itself.
    if f"{_V1}openapi.json" not in _paths(theirs):
        expected.pop(f"{_V1}openapi.json", None)
    told = _plain({**theirs, "paths": {path: item for path, item in _paths(theirs).items() if path.startswith(wanted)}})
    asked = _plain({**ours, "paths": expected})
    return between(_spelled_out(asked, told), told)


def _key(set_up: Settings) -> SecretStr | None:
    accounts = [source for source in set_up.sources if isinstance(source, AccountSettings)]
    accounts.sort(key=lambda account: account.kind != "convai")
    return next((account.key for account in accounts if account.key is not None), None)


def _document(said: Json) -> dict[str, Json]:
    if not isinstance(said, dict) or not isinstance(said.get("paths"), dict):
        raise BadAnswer(
            "The service answered, but not with an OpenAPI document.", hint="End the address in /v1/analytics."
        )
    return said


def _paths(document: Members) -> Members:
    found = document.get("paths")
    return found if isinstance(found, dict) else {}


def _plain(value: Mapping[str, Json]) -> dict[str, Json]:
    """The same with each optional type as that type: generators spell 'or null' in different ways."""
    made: dict[str, Json] = {}
    for name, each in value.items():
        made[name] = _plainly(each)
    for word in ("anyOf", "oneOf", "allOf"):
        choices = made.get(word)
        if not isinstance(choices, list):
            continue
        kept = [each for each in choices if not (isinstance(each, dict) and each.get("type") == "null")]
        if len(kept) == 1 and isinstance(kept[0], dict):
            del made[word]
            made = {**kept[0], **made}
        else:
            made[word] = kept
    return made


def _plainly(value: Json) -> Json:
    if isinstance(value, dict):
        return _plain(value)
    if isinstance(value, list):
        return [_plainly(each) for each in value]
    return value


def _spelled_out(ours: dict[str, Json], theirs: Members) -> dict[str, Json]:
    """Ours with the names that our clients know, wherever the service lists the ones that it takes."""
    paths: dict[str, Json] = {}
    for path, item in _paths(ours).items():
        found = _paths(theirs).get(path)
        paths[path] = _item(path, item, found) if isinstance(item, dict) and isinstance(found, dict) else item
    return {**ours, "paths": paths}


def _item(path: str, ours: Members, theirs: Members) -> dict[str, Json]:
    return {method: _operation(path, operation, theirs.get(method)) for method, operation in ours.items()}


def _operation(path: str, ours: Json, theirs: Json) -> Json:
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return ours
    listed = {name for name, schema in _parameters(theirs).items() if isinstance(schema.get("enum"), list)}
    open_words = {name for name, schema in _parameters(ours).items() if name in _KNOWN and "enum" not in schema}
    parameters = ours.get("parameters")
    made: list[Json] = []
    for each in parameters if isinstance(parameters, list) else []:
        name = str(each.get("name")) if isinstance(each, dict) else ""
        if isinstance(each, dict) and name in listed & open_words:
            known = REGRESSION_GROUPS if (path, name) == (_REGRESSIONS, "group_by") else _KNOWN[name]
            schema = _parameters(ours)[name]
            made.append({**each, "schema": {**schema, "enum": [*known]}})
        else:
            made.append(each)
    return {**ours, "parameters": made}


def _parameters(operation: Members) -> dict[str, Members]:
    listed = operation.get("parameters")
    found: dict[str, Members] = {}
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict) and isinstance(each.get("schema"), dict):
            schema = each["schema"]
            assert isinstance(schema, dict)
            found[str(each.get("name"))] = schema
    return found
