"""One value of a record, read as what its field holds, or refused with the reason.

Times become integer microseconds since 1970 in UTC, numbers are finite, texts can be encoded and stored, JSON values
become their one canonical text, so that equal values are equal rows.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo

import orjson

from talkscope.models.text import whole

MAX_ID = 512
MAX_TEXT = 65_536
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_UNITS = {"ms": 1_000, "us": 1, "ns": 0}
_DEEPEST = 100
_from_iso = datetime.fromisoformat


class Refused(ValueError):
    """This record cannot be loaded; the text is the reason, for a person."""


def micros(moment: datetime) -> int:
    """The moment as integer microseconds since 1970 in UTC, exactly."""
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def time(zone: tzinfo | None, value: object) -> int:
    """Microseconds of an ISO 8601 text (or a datetime); one without an offset is in `zone`, or refused without one."""
    try:
        delta = _from_iso(value) - EPOCH  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return _time(zone, value)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _time(zone: tzinfo | None, value: object) -> int:
    if not isinstance(value, str | datetime):
        raise Refused("is not an ISO 8601 time; an integer epoch needs a column name that ends in _ms, _us or _ns")
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value.strip())
    except ValueError:
        raise Refused(f"is not an ISO 8601 time: {str(value)[:40]!r}") from None
    try:
        if moment.tzinfo is None:
            if zone is None:
                raise Refused(f"has no UTC offset: {str(value)[:40]!r}; name the zone it is in (--timezone)")
            moment = moment.replace(tzinfo=zone)
        return micros(moment)
    except OverflowError:
        raise Refused("is out of range") from None


def epoch(value: object, unit: str) -> int:
    """Microseconds of an integer epoch in the unit: ms, us or ns."""
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 40:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refused(f"is not an integer epoch in {unit}")
    result = int(value) // 1_000 if unit == "ns" else int(value * EPOCH_UNITS[unit])
    if not -62_135_596_800_000_000 <= result <= 253_402_300_799_999_999:
        raise Refused("is out of range: is the unit right?")
    return result


def _finite(value: object) -> float | int:
    if isinstance(value, str):
        shown = value[:40]
        try:
            value = float(value)
        except ValueError:
            raise Refused(f"is not a number: {shown!r}") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused("is not a number")
    if not -1e300 <= value <= 1e300:  # NaN is on neither side
        raise Refused("is not a finite number")
    return value


def number(value: object) -> float:
    """A finite number."""
    # Adding 0.0 makes -0.0 the 0.0 that it equals.
    if type(value) is float and -1e300 <= value <= 1e300:
        return value + 0.0
    return float(_finite(value)) + 0.0


def milliseconds(value: object) -> float:
    """A duration in milliseconds, not negative."""
    found = number(value)
    if found < 0:
        raise Refused("is negative")
    return found


def integer(value: object) -> int:
    """A whole number that is not negative."""
    if type(value) is int and 0 <= value < 2**63:
        return value
    found = _finite(value)
    if found != int(found):
        raise Refused("is not a whole number")
    if not 0 <= found < 2**63:
        raise Refused("is negative or out of range")
    return int(found)


def text(value: object) -> str:
    """A text of at most MAX_TEXT characters; a number is taken as its text."""
    # Printable text has no NUL and no lone surrogate: nearly every text takes this path.
    if type(value) is str and len(value) <= MAX_ID and value.isprintable():
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value) if abs(value) < 1e300 else repr(float(value))
    if not isinstance(value, str):
        raise Refused("is not text")
    if len(value) > MAX_TEXT:
        raise Refused(f"is longer than {MAX_TEXT} characters")
    return whole(value).replace("\x00", "\ufffd")


def name(value: object) -> str | None:
    """A text that names something, without surrounding space, which no filter has; None when nothing is left."""
    return text(value).strip() or None


def identity(value: object) -> str | None:
    """A name of at most MAX_ID characters."""
    found = name(value)
    if found is not None and len(found) > MAX_ID:
        raise Refused(f"is longer than {MAX_ID} characters")
    return found


def lowered(value: object) -> str | None:
    """A text of a fixed vocabulary, without surrounding space and in lower case; None when nothing is left."""
    return text(value).strip().lower() or None


def texts(value: object) -> list[str]:
    """A sorted list of different names; one text is a list of one."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value) if value.lstrip().startswith("[") else [value]
        except orjson.JSONDecodeError:
            raise Refused("is not a list of texts") from None
    if not isinstance(value, list | tuple):
        raise Refused("is not a list of texts")
    return sorted({found for item in value if item is not None and (found := name(item)) is not None})


def opened(value: object) -> object:
    """The value that a JSON text stands for; a text that is no JSON stands for itself."""
    if type(value) is not str:
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def json(value: object) -> str:
    """Any JSON value, or a text that holds one, as its canonical text."""
    return canonical(opened(value))


def flag(value: object) -> str:
    """Whether something is so, as JSON: `true` or `false`; a text or a number that says so is taken."""
    found = value.strip().lower() if isinstance(value, str) else value
    if found in (True, "true", "1"):
        return "true"
    if found in (False, "false", "0"):
        return "false"
    raise Refused("is not true or false")


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces, lone surrogates replaced."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except (TypeError, ValueError, RecursionError):
        try:
            return orjson.dumps(_scrubbed(value, 0), option=orjson.OPT_SORT_KEYS).decode()
        except (TypeError, ValueError) as error:
            raise error if isinstance(error, Refused) else Refused("is not JSON") from None


def _scrubbed(value: object, depth: int) -> object:
    if depth > _DEEPEST:
        raise Refused("is nested too deeply")
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, dict):
        return {whole(str(key)): _scrubbed(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrubbed(item, depth + 1) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return float(value) if abs(value) < 10**300 else "a number of more than 300 digits"
    return value
