"""What is published says the same everywhere: pyproject.toml, server.json, README.md and CHANGELOG.md."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from talkscope.cli import COMMANDS
from talkscope.settings import SETTINGS
from tests.package.check import ROOT

SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MANIFEST: dict[str, Any] = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
# A range is no version; `latest` is refused by the registry, too.
Version = Annotated[str, Field(max_length=255, pattern=r"^\d+\.\d+\.\d+(?:[-.]?(?:a|b|rc|dev|post)\.?\d+)?$")]


class _Part(BaseModel):
    """A part of the manifest: a name that the registry's schema does not know is a misspelt one."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Input(_Part):
    description: str = ""
    isRequired: bool = False
    isSecret: bool = False
    format: Literal["string", "number", "boolean", "filepath"] = "string"
    default: str | None = None
    choices: list[str] = Field(default_factory=list)
    value: str | None = None


class _Variable(_Input):
    name: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    description: str = Field(min_length=1)


class _Positional(_Input):
    type: Literal["positional"]
    value: str


class _Transport(_Part):
    type: Literal["stdio"]


class _Package(_Part):
    registryType: Literal["pypi"]
    registryBaseUrl: Literal["https://pypi.org"]
    identifier: str
    version: Version
    runtimeHint: Literal["uvx"]
    packageArguments: list[_Positional]
    transport: _Transport
    environmentVariables: list[_Variable]


class _Repository(_Part):
    url: str = Field(pattern=r"^https://")
    source: str
    id: str | None = None
    subfolder: str | None = None


class Manifest(_Part):
    """server.json as the registry's schema of 2025-12-11 has it, as far as ours uses it."""

    schema_: Literal["https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"] = Field(
        alias="$schema"
    )
    name: str = Field(min_length=3, max_length=200, pattern=r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$")
    title: str = Field(min_length=1, max_length=100)
    description: str = Field(min_length=1, max_length=100)
    version: Version
    websiteUrl: str | None = Field(default=None, pattern=r"^https://")
    repository: _Repository | None = None
    packages: list[_Package] = Field(min_length=1, max_length=1)


def test_the_registrys_manifest_is_what_its_schema_wants():
    assert Manifest.model_validate(MANIFEST).schema_ == SCHEMA


@pytest.mark.parametrize(
    "spoil",
    [
        lambda it: it.update(description="x" * 101),
        lambda it: it.update(name="talkscope"),
        lambda it: it.update(version="^0.1.0"),
        lambda it: it.pop("version"),
        lambda it: it["packages"][0].update(version="latest"),
        lambda it: it["packages"][0].update(registry_type="pypi"),
        lambda it: it["packages"][0]["packageArguments"][0].pop("value"),
        lambda it: it["packages"][0]["environmentVariables"][1].update(isSecret="yes"),
    ],
)
def test_a_manifest_that_the_registry_would_refuse_is_refused_here(spoil: Any):
    spoiled = copy.deepcopy(MANIFEST)
    spoil(spoiled)
    with pytest.raises(ValidationError):
        Manifest.model_validate(spoiled)


def test_one_version_is_published():
    newest = re.search(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    told = {MANIFEST["version"], MANIFEST["packages"][0]["version"], newest[1]}
    assert told == {PROJECT["version"]}


def test_the_readme_that_is_published_proves_who_owns_the_registrys_name():
    assert PROJECT["readme"] == "README.md"
    assert re.findall(r"mcp-name: ?(\S+)(?=\s*-->$)", README, re.MULTILINE) == [MANIFEST["name"]]


def test_the_owners_namespace_stands_in_the_manifest_and_in_the_readme_alone():
    namespace = MANIFEST["name"].partition("/")[0]
    texts = [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), ROOT / "Makefile"]
    for folder in ("docs", "src", "recipes", "examples"):
        texts += [file for file in (ROOT / folder).rglob("*") if file.suffix in {".md", ".py", ".toml", ".json"}]
    named = {file.name for file in texts if f"{namespace}/" in file.read_text(encoding="utf-8")}
    assert named == {"README.md"}


def test_the_manifest_starts_the_server_as_every_host_entry_does():
    [package] = MANIFEST["packages"]
    words = [package["runtimeHint"], package["identifier"], *(each["value"] for each in package["packageArguments"])]
    assert words == ["uvx", "talkscope", "mcp"]
    assert package["identifier"] == PROJECT["name"]
    assert package["identifier"] in PROJECT["scripts"]
    assert "mcp" in COMMANDS


def test_the_manifests_variables_are_settings_and_keys_are_marked_as_secrets():
    [package] = MANIFEST["packages"]
    told = {each["name"]: each for each in package["environmentVariables"]}
    settings = {each.name: each for each in SETTINGS}
    assert told.keys() <= settings.keys()
    assert {name for name, each in told.items() if each.get("isSecret")} == {
        name for name in settings if name.endswith(("_KEY", "_TOKEN"))
    }
    # A warehouse in its usual place needs no setting at all.
    assert not any(each.get("isRequired") for each in told.values())
    assert {name: each["default"] for name, each in told.items() if "default" in each} == {
        name: settings[name].default for name, each in told.items() if "default" in each
    }
