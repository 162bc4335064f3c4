from __future__ import annotations

from pathlib import Path

import pytest

from talkscope.errors import InvalidArgument, NotSupported, SourceNotChosen, TalkscopeError, UnknownName
from talkscope.settings import SETTINGS, Settings, SourceSettings, read


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_data_path", lambda *args, **options: tmp_path / "data")
    monkeypatch.setattr("platformdirs.user_config_path", lambda *args, **options: tmp_path / "config")


def config(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_nothing_set_means_one_warehouse_in_the_users_data_folder(tmp_path: Path) -> None:
    settings = read({})
    assert settings == Settings(sources=(SourceSettings("warehouse", tmp_path / "data" / "warehouse"),))
    assert not (tmp_path / "data").exists()


def test_every_variable_is_read(tmp_path: Path) -> None:
    settings = read(
        {
            "TALKSCOPE_WAREHOUSE": str(tmp_path / "calls"),
            "TALKSCOPE_SOURCE": "warehouse",
            "TALKSCOPE_DEADLINE": "2.5",
            "TALKSCOPE_MEMORY_LIMIT": "2GB",
            "TALKSCOPE_THREADS": "3",
            "TALKSCOPE_ANSWER_TOKENS": "9000",
            "TALKSCOPE_REVEAL_PERSONAL_DATA": "1",
        }
    )
    assert settings == Settings(
        sources=(SourceSettings("warehouse", tmp_path / "calls"),),
        default_source="warehouse",
        deadline=2.5,
        memory_limit="2GB",
        threads=3,
        answer_tokens=9000,
        reveal_personal_data=True,
    )


def test_an_empty_variable_is_as_good_as_none() -> None:
    names = [setting.name for setting in SETTINGS]
    assert read(dict.fromkeys(names, "  ")) == read({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TALKSCOPE_DEADLINE", "soon"),
        ("TALKSCOPE_DEADLINE", "0"),
        ("TALKSCOPE_DEADLINE", "nan"),
        ("TALKSCOPE_DEADLINE", "1e9"),
        ("TALKSCOPE_MEMORY_LIMIT", "plenty"),
        ("TALKSCOPE_MEMORY_LIMIT", "1GB'; DROP"),
        ("TALKSCOPE_THREADS", "0"),
        ("TALKSCOPE_THREADS", "1.5"),
        ("TALKSCOPE_ANSWER_TOKENS", "10001"),
        ("TALKSCOPE_ANSWER_TOKENS", "-5"),
        ("TALKSCOPE_REVEAL_PERSONAL_DATA", "perhaps"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(InvalidArgument, match=name) as caught:
        read({name: value})
    assert len(value) < 3 or value not in str(caught.value)


def test_the_config_file_names_sources_and_their_default(tmp_path: Path) -> None:
    file = config(tmp_path, 'source = "b"\n[sources.a]\npath = "/x/a"\n[sources.b]\npath = "beside/b"\n')
    expected = (SourceSettings("a", Path("/x/a").absolute()), SourceSettings("b", tmp_path / "beside" / "b"))
    for settings in (read({"TALKSCOPE_CONFIG": str(file)}), read({}, config=file)):
        assert (settings.sources, settings.default_source) == (expected, "b")
    assert read({"TALKSCOPE_SOURCE": "a"}, config=file).default_source == "a"


def test_a_config_file_in_its_usual_place_is_found(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    config(tmp_path / "config", '[sources.mine]\npath = "w"\n')
    assert [source.name for source in read({}).sources] == ["mine"]


def test_the_environments_warehouse_comes_before_the_files_sources(tmp_path: Path) -> None:
    file = config(tmp_path, '[sources.a]\npath = "/x"\n[sources.warehouse]\npath = "/y"\n')
    settings = read({"TALKSCOPE_WAREHOUSE": str(tmp_path / "w")}, config=file)
    assert [(each.name, each.path) for each in settings.sources] == [
        ("warehouse", tmp_path / "w"),
        ("a", Path("/x").absolute()),
    ]


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("[sources.a]\npaht = 'x'", UnknownName, "Did you mean 'path'"),
        ("[sorces.a]\npath = 'x'", UnknownName, "Did you mean 'sources'"),
        ("[sources.a]\n", InvalidArgument, "has no path"),
        ("[sources.'a b']\npath = 'x'", InvalidArgument, "cannot name a source"),
        ("sources = 3", InvalidArgument, "sources"),
        ("source = 3", InvalidArgument, "source must be a text"),
        ("source = 'b'\n[sources.a]\npath = 'x'", UnknownName, "source 'b'"),
        ("[sources.a]\npath = 'sc://spark'", NotSupported, "folder"),
        ("= 3", InvalidArgument, "is not TOML"),
    ],
)
def test_a_config_file_that_is_wrong_says_where(
    tmp_path: Path, text: str, error: type[TalkscopeError], told: str
) -> None:
    with pytest.raises(error, match=told):
        read({}, config=config(tmp_path, text))


def test_a_config_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="TALKSCOPE_CONFIG"):
        read({"TALKSCOPE_CONFIG": str(tmp_path / "none.toml")})
    with pytest.raises(InvalidArgument, match="cannot be read"):
        read({"TALKSCOPE_CONFIG": str(tmp_path)})


def test_an_unknown_default_source_names_those_there_are() -> None:
    with pytest.raises(UnknownName, match="'warehouse'"):
        read({"TALKSCOPE_SOURCE": "warehose"})


def test_the_address_of_an_engine_is_no_folder() -> None:
    with pytest.raises(NotSupported, match="TALKSCOPE_WAREHOUSE"):
        read({"TALKSCOPE_WAREHOUSE": "clickhouse://user:secret@host/db"})


def test_a_source_is_chosen_by_name_by_default_or_because_it_is_the_only_one() -> None:
    a, b = SourceSettings("a", Path("/a")), SourceSettings("b", Path("/b"))
    assert Settings((a,)).source() == a
    assert Settings((a, b), default_source="b").source() == b
    assert Settings((a, b), default_source="b").source("a") == a
    with pytest.raises(SourceNotChosen, match="a, b"):
        Settings((a, b)).source()
    with pytest.raises(SourceNotChosen):
        Settings().source()
    with pytest.raises(UnknownName):
        Settings((a,)).source("z")


def test_every_setting_is_documented_once() -> None:
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names)
    assert all(setting.meaning.endswith(".") and setting.default for setting in SETTINGS)
