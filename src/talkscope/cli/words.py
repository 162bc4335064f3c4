"""A question's words as options of a command: made from the contract, so that both always say the same."""

from __future__ import annotations

import difflib
import io
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Literal, Union, get_args, get_origin

import annotated_types
import click
from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import from_json

from talkscope.cli.group import Surroundings
from talkscope.cli.meanings import USUAL
from talkscope.errors import InvalidArgument, Json
from talkscope.models.questions import Asked

if TYPE_CHECKING:
    from talkscope.settings import Settings

SHORTCUTS: Mapping[str, str] = {
    "character_id": "a character, assistant, agent or bot",
    "app_key": "an application",
    "experience_id": "an experience",
    "end_user_id": "an end user",
    "provider": "a vendor of a component",
    "model": "a model",
    "processor": "a component",
    "status": "a status",
}
_METAVARS = {
    "range": "RANGE",
    "start_time": "TIME",
    "end_time": "TIME",
    "baseline_start_time": "TIME",
    "timezone": "ZONE",
    "filters": "DIMENSION=VALUE",
    "group_by": "DIMENSION",
    "measures": "MEASURE",
    "measure": "MEASURE",
    "sort": "MEASURE",
    "metric_name": "NAME",
    "metric_name_prefix": "PREFIX",
}
_EXTRA_SPELLINGS = {"filters": ("filter",)}


class OneOf(click.Choice[str]):
    """One of a few words; another is refused with the nearest."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word as it is spelled here; upper case and hyphens are taken too."""
        words = list(map(str, self.choices))
        word = str(value).strip().lower().replace("-", "_")
        if word in words:
            return word
        close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? It is " if close else "it is "
        told = f"{str(value)[:60]!r} is none of the words: {hint}one of {', '.join(words)}."
        raise click.BadParameter(told, ctx, param)


def options(
    params: type[Asked],
    *,
    positional: str | None = None,
    defaults: Mapping[str, object] | None = None,
    says: Mapping[str, str] | None = None,
    without: Collection[str] = (),
) -> list[click.Parameter]:
    """The options for a question's words, in the contract's order, and shortcuts for frequent filters.

    `positional` is the word that is given without its name, required where the contract requires it; `defaults` are
    told where a command has others than the contract; `without` are the shortcuts that mean nothing here; `says` are
    the helps of words in place of the usual ones, and without one a word is no option.
    """
    known = defaults or {}
    found: list[click.Parameter] = []
    for name, field in params.model_fields.items():
        if name == positional:
            found.insert(0, click.Argument([name], required=field.is_required(), nargs=-1 if _kind(field)[1] else 1))
        elif says is not None and name not in says:
            continue
        elif says is not None:
            found.append(_option(name, field, None, says[name]))
        else:
            found.append(_option(name, field, known.get(name)))
    if "filters" in params.model_fields and says is None:
        for name, which in SHORTCUTS.items():
            taken = any(name in parameter.opts for parameter in found)
            if not taken and name not in without:
                shortcut = f"Only {which}: --filter {name}=VALUE. Several mean either."
                found.append(
                    click.Option([kebab(name), _shortcut(name)], metavar="VALUE", multiple=True, help=shortcut)
                )
    return found


def words(params: type[Asked], given: Mapping[str, object]) -> dict[str, object]:
    """The question's words from what the options took; what was not given is left out."""
    asked: dict[str, object] = {}
    filters: list[str] = []
    for name, value in given.items():
        if value is None or value == ():
            continue
        if name.startswith(_ONLY):
            filters += [f"{name.removeprefix(_ONLY)}={each}" for each in _texts(value)]
        elif name == "filters":
            filters = [*_texts(value), *filters]
        elif isinstance(value, tuple):
            asked[name] = [part.strip() for each in _texts(value) for part in each.split(",")]
        else:
            asked[name] = value
    if filters:
        asked["filters"] = filters
    known = set(params.model_fields)
    return {_spelling(params, name): value for name, value in asked.items() if name in known}


_ONLY = "only_"


def _shortcut(name: str) -> str:
    return _ONLY + name


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, Sequence) and not isinstance(value, str) else [str(value)]


_LONGEST_KEY = 4_096


def source_options() -> list[click.Parameter]:
    """The options that say who is asked; `Place.of` reads what they took."""
    folder = click.Path(path_type=Path, file_okay=False)
    return [
        click.Option(["--source"], metavar="NAME", help="Which configured source is asked."),
        click.Option(["--warehouse"], type=folder, metavar="PATH", help="Ask the warehouse in this folder."),
        click.Option(["--base-url"], metavar="URL", help="Ask the Convai Analytics API at this address."),
        click.Option(
            ["--api-key-file"], type=click.File(), metavar="FILE", help="Read its key from a file, or - for stdin."
        ),
        click.Option(
            ["--api-key"], metavar="KEY", help="Its key, for a one-off test: the process list shows it to everyone."
        ),
    ]


def page_options() -> list[click.Parameter]:
    """The options that say in which form an answer is given, and where; `Page.taken` reads what they took."""
    return [
        click.Option(["--table", "as_table"], is_flag=True, help="A table, also in a pipe."),
        click.Option(["--json", "as_json"], is_flag=True, help="JSON on one line, also on a terminal."),
        click.Option(["--pretty", "as_pretty"], is_flag=True, help="JSON, indented."),
        click.Option(["--csv", "as_csv"], is_flag=True, help="The rows as CSV."),
        click.Option(["--raw", "as_raw"], is_flag=True, help="CSV cells as they are: a spreadsheet may run formulas."),
        click.Option(
            ["--output", "-o"],
            type=click.Path(path_type=Path, dir_okay=False, writable=True),
            metavar="FILE",
            help="Write to a file; .csv, .json and .txt name the form.",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Place:
    """Who is asked: a configured source, the warehouse in a folder, or an account by key and address."""

    source: str | None
    warehouse: Path | None
    key: SecretStr | None
    url: str | None

    @staticmethod
    def of(given: dict[str, object]) -> Place:
        """What the options of `source_options` took, which is taken out of `given`. Raises InvalidArgument."""
        source, warehouse, url = given.pop("source"), given.pop("warehouse"), given.pop("base_url")
        return Place(
            None if source is None else str(source),
            warehouse if isinstance(warehouse, Path) else None,
            _key(given.pop("api_key"), given.pop("api_key_file")),
            None if url is None else str(url),
        )

    def settings(self, around: Surroundings) -> Settings:
        """The settings under which that place is asked. Raises InvalidArgument for a folder and an account at once."""
        return around.settings_for(self.warehouse, key=self.key, url=self.url)


def _key(word: object, file: object) -> SecretStr | None:
    """The key that was given for this one command, from the safer place when there are two."""
    if isinstance(file, io.TextIOBase):
        text = file.read(_LONGEST_KEY).strip()
        if not text:
            raise InvalidArgument("The key file is empty.", hint="Write the key into it, and nothing else.")
        return SecretStr(text)
    if not isinstance(word, str):
        return None
    click.echo("warning: others on this machine can read --api-key in the process list: set CONVAI_API_KEY.", err=True)
    return SecretStr(word)


def json_text(word: str, what: str) -> Json:
    """The JSON that the word is, or that the file or stdin holds. Raises InvalidArgument, and OSError for the file."""
    if word == "-":
        text = sys.stdin.buffer.read()
    else:
        text = Path(word[1:]).read_bytes() if word.startswith("@") else word.encode(errors="surrogatepass")
    try:
        told: Json = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidArgument(
            f"{what} is not JSON: {error}.", hint="Give JSON text, @FILE for a file, or - for stdin."
        ) from None
    return told


def kebab(name: str) -> str:
    """The option that a word is."""
    return "--" + name.replace("_", "-")


def _spelling(params: type[Asked], name: str) -> str:
    """The name under which the model takes the word."""
    aliases = _aliases(params.model_fields[name])
    return name if not aliases or name in aliases else aliases[0]


def _aliases(field: FieldInfo) -> list[str]:
    alias = field.validation_alias
    if not isinstance(alias, AliasChoices):
        return []
    return [choice for choice in alias.choices if isinstance(choice, str)]


def _option(name: str, field: FieldInfo, default: object, says: str | None = None) -> click.Option:
    others = [*_aliases(field), *_EXTRA_SPELLINGS.get(name, ())]
    spellings = [kebab(word) for word in dict.fromkeys([name, *others])]
    if field.annotation is bool:
        pair = f"{spellings[0]}/--no-{spellings[0].removeprefix('--')}"
        return click.Option([pair, name], default=None, help=_help(name, field, default) if says is None else says)
    kind, many = _kind(field)
    return click.Option(
        [*spellings, name],
        type=kind,
        multiple=many,
        required=field.is_required(),
        metavar=None if isinstance(kind, OneOf | click.IntRange | click.FloatRange) else _METAVARS.get(name, "TEXT"),
        help=_help(name, field, default) if says is None else says,
    )


def _kind(field: FieldInfo) -> tuple[click.ParamType[str] | click.ParamType[int] | click.ParamType[float], bool]:
    """How the word is read, and whether it may be given several times."""
    kind: object = field.annotation
    if get_origin(kind) in (UnionType, Union):
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is list:
        return click.STRING, True
    if get_origin(kind) is Literal:
        return OneOf([str(word) for word in get_args(kind)]), False
    low = next((bound.ge for bound in field.metadata if isinstance(bound, annotated_types.Ge)), None)
    high = next((bound.le for bound in field.metadata if isinstance(bound, annotated_types.Le)), None)
    if kind is int:
        return click.IntRange(_whole(low), _whole(high)), False
    if kind is float:
        return click.FloatRange(_real(low), _real(high)), False
    return click.STRING, False


def _whole(bound: object) -> int | None:
    return bound if isinstance(bound, int) else None


def _real(bound: object) -> float | None:
    return float(bound) if isinstance(bound, int | float) else None


_WINDOWED = {"range": "last_24h"}


def _help(name: str, field: FieldInfo, default: object) -> str:
    says = USUAL.get(name, field.description or name.replace("_", " ").capitalize() + ".")
    if name == "group_by":
        most = next((bound.max_length for bound in field.metadata if isinstance(bound, annotated_types.MaxLen)), 1)
        says = "What rows are grouped by." + (f" At most {most}; repeat it, or separate with commas." * (most > 1))
    default = default or field.get_default(call_default_factory=False)
    if isinstance(default, list):
        default = ", ".join(map(str, default))
    shown = default if isinstance(default, str | int | float) and default != "" else _WINDOWED.get(name)
    return f"{says}  [default: {shown}]" if shown is not None else says
