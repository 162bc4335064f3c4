from __future__ import annotations

import re
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from talkscope import settings as settings_module
from talkscope.errors import (
    AuthenticationError,
    InvalidArgument,
    NotSupported,
    SourceNotChosen,
    TalkscopeError,
    UnknownName,
)
from talkscope.settings import (
    CONVAI_URL,
    PLATFORMS,
    SETTINGS,
    AccountSettings,
    PlatformSettings,
    Settings,
    SourceSettings,
    read,
)


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
            "CONVAI_API_KEY": "ck_live_made_up",
            "CONVAI_ANALYTICS_BASE_URL": "https://analytics.example/v1/analytics",
            "TALKSCOPE_URL": "http://127.0.0.1:8765",
            "TALKSCOPE_API_KEY": "tsk_made_up",
            "TALKSCOPE_REQUEST_BUDGET": "7",
            "TALKSCOPE_DEADLINE": "2.5",
            "TALKSCOPE_MEMORY_LIMIT": "2GB",
            "TALKSCOPE_THREADS": "3",
            "TALKSCOPE_ANSWER_TOKENS": "9000",
            "TALKSCOPE_REVEAL_PERSONAL_DATA": "1",
        }
    )
    assert settings == Settings(
        sources=(
            SourceSettings("warehouse", tmp_path / "calls"),
            AccountSettings(
                "convai",
                "convai",
                "https://analytics.example/v1/analytics",
                SecretStr("ck_live_made_up"),
                "CONVAI_API_KEY",
            ),
            AccountSettings(
                "talkscope", "talkscope", "http://127.0.0.1:8765", SecretStr("tsk_made_up"), "TALKSCOPE_API_KEY"
            ),
        ),
        default_source="warehouse",
        requests=7,
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
        ("TALKSCOPE_REQUEST_BUDGET", "0"),
        ("CONVAI_API_KEY", "ck live spaced"),
        ("CONVAI_API_KEY", "ck_l\u00efve"),
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
        ("[sources.a]\nplatform = 'convay'", UnknownName, "Did you mean 'convai'"),
        ("[sources.a]\nplatform = 'convai'\nkey = 'ck_live_in_a_file'", UnknownName, "unknown key 'key'"),
        ("[sources.a]\nplatform = 'convai'\npath = 'x'", UnknownName, "unknown key 'path'"),
        ("[sources.a]\nplatform = 'talkscope'", InvalidArgument, "has no url"),
        ("[sources.a]\nplatform = 'convai'\nurl = 3", InvalidArgument, "url must be a text"),
        ("[sources.a]\nplatform = 'convai'\nkey_keyring = 'talkscope'", InvalidArgument, "service/user"),
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


@pytest.mark.parametrize("name", ["TALKSCOPE_CONFIG", "TALKSCOPE_WAREHOUSE"])
def test_the_home_of_somebody_unknown_is_no_folder(name: str) -> None:
    with pytest.raises(InvalidArgument, match=f"{name} begins with ~"):
        read({name: "~no such user/x"})


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


def account(name: str, key: str | None, key_from: str = "CONVAI_API_KEY", url: str = CONVAI_URL) -> AccountSettings:
    return AccountSettings(name, "convai", url, None if key is None else SecretStr(key), key_from)


def test_a_key_alone_is_an_account_and_the_only_source() -> None:
    assert read({"CONVAI_API_KEY": "ck_1"}).sources == (account("convai", "ck_1"),)


def test_accounts_of_the_file_take_their_keys_from_the_variables_that_they_name(tmp_path: Path) -> None:
    text = """
        [sources.live]
        platform = "convai"
        [sources.staging]
        platform = "convai"
        url = "https://staging.example/v1/analytics"
        key_env = "STAGING_KEY"
        [sources.team]
        platform = "talkscope"
        url = "https://talkscope.example"
    """
    env = {"CONVAI_API_KEY": "ck_live", "STAGING_KEY": "ck_staging"}
    assert read(env, config=config(tmp_path, text)).sources == (
        account("live", "ck_live"),
        account("staging", "ck_staging", "STAGING_KEY", "https://staging.example/v1/analytics"),
        AccountSettings("team", "talkscope", "https://talkscope.example", None, "TALKSCOPE_API_KEY"),
    )


@pytest.mark.parametrize(
    ("variable", "table"),
    [
        ("MAVENOID_API_TOKEN", '[sources.mavenoid]\npath = "w"\n'),
        ("MAVENOID_API_TOKEN", '[sources.mavenoid]\nplatform = "mavenoid"\nkey_env = "OTHER"\n'),
        ("STUDIO_API_TOKEN", '[sources.studio_chat]\nplatform = "convai"\n'),
        ("CONVAI_API_KEY", '[sources.convai]\npath = "w"\n'),
        ("CONVAI_API_KEY", '[sources.convai]\nplatform = "convai"\nkey_env = "OTHER"\n'),
        ("TALKSCOPE_URL", '[sources.talkscope]\npath = "w"\n'),
        ("TALKSCOPE_WAREHOUSE", '[sources.warehouse]\nplatform = "mavenoid"\n'),
    ],
)
def test_a_variable_and_a_table_that_mean_different_things_by_one_name_are_refused(
    tmp_path: Path, variable: str, table: str
) -> None:
    with pytest.raises(InvalidArgument, match=f"{variable} makes the source .* another of that name") as caught:
        read({variable: "secret-or-place"}, config=config(tmp_path, table))
    assert re.fullmatch(rf"Rename \[sources\.\w+\], or take {variable} away\.", caught.value.hint or "")
    assert "secret-or-place" not in repr(caught.value)


def test_the_files_account_goes_to_the_address_of_the_environment_unless_it_names_one(tmp_path: Path) -> None:
    env = {"CONVAI_ANALYTICS_BASE_URL": "https://elsewhere.example/v1/analytics"}
    (found,) = read(env, config=config(tmp_path, '[sources.a]\nplatform = "convai"\n')).sources
    assert found == account("a", None, url="https://elsewhere.example/v1/analytics")


def test_a_key_in_a_keyring_is_read_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Keyring:
        def get_password(self, service_name: str, username: str) -> str | None:
            return {("convai", "work"): "ck_from_keyring\n"}.get((service_name, username))

    monkeypatch.setattr("importlib.import_module", lambda name: Keyring())
    text = '[sources.a]\nplatform = "convai"\nkey_keyring = "convai/work"\n'
    assert read({}, config=config(tmp_path, text)).sources == (account("a", "ck_from_keyring", "convai/work"),)
    missing = text.replace("work", "home")
    assert read({}, config=config(tmp_path, missing)).sources == (account("a", None, "convai/home"),)


def test_a_missing_keyring_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(NotSupported, match=r"talkscope\[keyring\]"):
        read({}, config=config(tmp_path, '[sources.a]\nplatform = "convai"\nkey_keyring = "convai/work"\n'))


def test_a_platforms_key_makes_its_account_beside_the_warehouse(tmp_path: Path) -> None:
    told = read({"STUDIO_API_TOKEN": "sbs_made_up", "STUDIO_PROJECT_ID": "p-1", "MAVENOID_API_TOKEN": "ma_made_up"})
    assert [source.name for source in told.sources] == ["warehouse"]
    studio, mavenoid = told.platforms
    assert studio == PlatformSettings(
        "studio_chat",
        "studio_chat",
        "https://api.studiochat.io",
        SecretStr("sbs_made_up"),
        "STUDIO_API_TOKEN",
        {"project_id": "p-1"},
    )
    assert (mavenoid.name, mavenoid.url) == ("mavenoid", "https://analytics-api.mavenoid.com/v1")
    assert told.platform("mavenoid") is mavenoid
    assert "sbs_made_up" not in repr(told)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_platforms_address_may_be_another(platform: str) -> None:
    variables = PLATFORMS[platform]
    told = read({variables.key: "made_up", variables.url: "http://127.0.0.1:9/x"})
    assert [(each.platform, each.url) for each in told.platforms] == [(platform, "http://127.0.0.1:9/x")]


def test_several_accounts_of_a_platform_stand_in_the_file_and_one_must_be_named(tmp_path: Path) -> None:
    file = config(
        tmp_path,
        """[sources.east]
        platform = "studio_chat"
        project_id = "p-east"
        key_env = "EAST"
        [sources.west]
        platform = "studio_chat"
        url = "https://west.example"
        """,
    )
    told = read({"EAST": "sbs_east", "STUDIO_API_TOKEN": "sbs_west", "STUDIO_PROJECT_ID": "p-west"}, config=file)
    assert [each.name for each in told.platforms] == ["east", "west"]
    with pytest.raises(SourceNotChosen, match="Name one of east, west"):
        told.platform("studio_chat")
    east, west = told.platform("studio_chat", "east"), told.platform("studio_chat", "west")
    assert (east.also, east.key) == ({"project_id": "p-east"}, SecretStr("sbs_east"))
    assert (west.also, west.key, west.url) == ({"project_id": "p-west"}, SecretStr("sbs_west"), "https://west.example")
    with pytest.raises(UnknownName, match="Did you mean 'east'"):
        told.platform("studio_chat", "eas")
    with pytest.raises(NotSupported, match="AGENT_STUDIO_API_KEY"):
        told.platform("agent_studio")


def test_a_platforms_account_is_no_source_of_the_questions_and_says_what_to_do() -> None:
    told = read({"MAVENOID_API_TOKEN": "ma_made_up"})
    with pytest.raises(NotSupported, match="talkscope sync mavenoid"):
        told.source("mavenoid")


@pytest.mark.parametrize("by", ["variables", "file"])
def test_a_platforms_account_that_is_the_default_source_stops_only_what_it_cannot_answer(
    tmp_path: Path, by: str
) -> None:
    file = config(tmp_path, '[sources.mavenoid]\nplatform = "mavenoid"\n' if by == "file" else "")
    told = read({"MAVENOID_API_TOKEN": "ma_made_up", "TALKSCOPE_SOURCE": "mavenoid"}, config=file)
    assert told.platform("mavenoid").key == SecretStr("ma_made_up")
    with pytest.raises(NotSupported, match="talkscope sync mavenoid"):
        told.source()


def test_a_platform_is_named_in_kebab_or_snake_case_and_one_that_there_is_not_is_refused_with_the_nearest() -> None:
    told = read({"STUDIO_API_TOKEN": "sbs_made_up"})
    assert told.platform("studio-chat") is told.platform("studio_chat")
    with pytest.raises(NotSupported, match="AGENT_STUDIO_API_KEY"):
        told.platform("agent-studio")
    with pytest.raises(UnknownName, match="Did you mean 'studio_chat'"):
        told.platform("studio_cat")
    with pytest.raises(UnknownName, match="Known: studio_chat, agent_studio, general_bots, mavenoid"):
        told.platform("convai")


def test_a_word_that_a_platforms_account_does_not_have_is_refused(tmp_path: Path) -> None:
    file = config(tmp_path, '[sources.a]\nplatform = "mavenoid"\nproject_id = "p"\n')
    with pytest.raises(UnknownName, match="project_id"):
        read({}, config=file)


def test_side_effects_are_off_unless_they_are_allowed() -> None:
    assert not read({}).allow_side_effects
    assert read({"TALKSCOPE_ALLOW_SIDE_EFFECTS": "1"}).allow_side_effects


def test_no_key_is_in_the_repr_of_settings() -> None:
    env = {"CONVAI_API_KEY": "ck_live_hidden", "TALKSCOPE_URL": "https://t.example", "TALKSCOPE_API_KEY": "tsk_hidden"}
    assert "hidden" not in repr(read(env))


def test_what_is_written_to_is_a_warehouse() -> None:
    folder, other = SourceSettings("a", Path("/a")), SourceSettings("b", Path("/b"))
    convai = account("convai", "ck_1")
    assert Settings((convai, folder)).warehouse() == folder
    assert Settings((convai, folder, other)).warehouse("b") == other
    with pytest.raises(SourceNotChosen):
        Settings((folder, other)).warehouse()
    with pytest.raises(NotSupported, match="--warehouse"):
        Settings((convai,)).warehouse()
    with pytest.raises(NotSupported, match="Name one of a"):
        Settings((convai, folder)).warehouse("convai")


def test_a_convai_account_is_made_of_what_is_given_and_what_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONVAI_ANALYTICS_BASE_URL", raising=False)
    configured = read({"CONVAI_API_KEY": "ck_1", "CONVAI_ANALYTICS_BASE_URL": "https://x.example/v1/analytics"})
    assert settings_module.convai(configured) == configured.sources[0]
    given = settings_module.convai(configured, key=" ck_2\n", url="https://y.example/v1/analytics")
    assert given == account("convai", "ck_2", "", "https://y.example/v1/analytics")
    assert settings_module.convai(read({}), key="ck_3").url == CONVAI_URL
    with pytest.raises(AuthenticationError, match="CONVAI_API_KEY"):
        settings_module.convai(read({}))


def test_a_traceback_with_local_variables_shows_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"CONVAI_API_KEY": "ck_live_hidden", "OTHER": "hidden_too", "TALKSCOPE_DEADLINE": "x"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidArgument) as caught:
        read()
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    # The test's own frame, which spells them out, comes first.
    del told.stack[:1]
    assert "hidden" not in "".join(told.format())
