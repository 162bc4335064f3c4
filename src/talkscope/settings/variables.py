"""Every environment variable that Talkscope reads, for the documentation and for `talkscope doctor`."""

from __future__ import annotations

from dataclasses import dataclass

from talkscope.settings.platforms import PLATFORMS
from talkscope.settings.sources import CONVAI_URL


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: its name, its default as a reader would write it, and what it means."""

    name: str
    default: str
    meaning: str


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "TALKSCOPE_WAREHOUSE",
        "the user's data folder",
        "Folder of the warehouse; it becomes the source `warehouse`. A folder that is not there yet is an empty one.",
    ),
    Setting("CONVAI_API_KEY", "none", "Key of a Convai account; it becomes the source `convai`."),
    Setting(
        "CONVAI_ANALYTICS_BASE_URL", CONVAI_URL, "Address of the Convai Analytics API, up to and including its path."
    ),
    Setting("TALKSCOPE_URL", "none", "Address of a `talkscope serve`; it becomes the source `talkscope`."),
    Setting("TALKSCOPE_API_KEY", "none", "Key for that service, as `talkscope keys add` showed it."),
    Setting(
        "STUDIO_API_TOKEN", "none", "Key of a Studio Chat account; it becomes the source `studio_chat`, with its tools."
    ),
    Setting("STUDIO_PROJECT_ID", "none", "The Studio Chat project that is asked about."),
    Setting("STUDIO_API_URL", PLATFORMS["studio_chat"].usual, "Address of Studio Chat's API."),
    Setting("AGENT_STUDIO_API_KEY", "none", "Key of an Agent Studio account; it becomes the source `agent_studio`."),
    Setting(
        "AGENT_STUDIO_URL", PLATFORMS["agent_studio"].usual, "Address of Agent Studio's API, up to and with `/api/v1`."
    ),
    Setting("GENERAL_BOTS_TOKEN", "none", "Token of a General Bots server; it becomes the source `general_bots`."),
    Setting("GENERAL_BOTS_URL", PLATFORMS["general_bots"].usual, "Root of the General Bots server."),
    Setting("MAVENOID_API_TOKEN", "none", "Token of a Mavenoid organisation; it becomes the source `mavenoid`."),
    Setting("MAVENOID_API_URL", PLATFORMS["mavenoid"].usual, "Address of Mavenoid's API, up to and with `/v1`."),
    Setting("TALKSCOPE_SOURCE", "the only source there is", "Name of the source that is asked when none is named."),
    Setting(
        "TALKSCOPE_CONFIG",
        "config.toml in the user's configuration folder",
        "The configuration file, whose `[sources.NAME]` tables name warehouses by `path`, accounts by `platform`.",
    ),
    Setting("TALKSCOPE_DEADLINE", "30", "Seconds that one question may take, up to 3,600."),
    Setting(
        "TALKSCOPE_REQUEST_BUDGET",
        "20",
        "Requests that one question may make of a vendor's API, 1 to 1,000; the answer says when they were not enough.",
    ),
    Setting(
        "TALKSCOPE_MEMORY_LIMIT",
        "the engine's own (80 % of the machine's)",
        "Memory that the warehouse's engine may use, such as 2GB; beyond it, queries spill to the warehouse's folder.",
    ),
    Setting("TALKSCOPE_THREADS", "one for each core", "Threads of the warehouse's engine."),
    Setting(
        "TALKSCOPE_ANSWER_TOKENS",
        "4000",
        "Tokens that a tool's answer may take, 200 to 10,000; a longer answer is coarsened and says so.",
    ),
    Setting(
        "TALKSCOPE_REVEAL_PERSONAL_DATA",
        "0",
        "1 has tools show e-mail addresses, phone numbers and page addresses instead of masking them, and what end"
        " users wrote.",
    ),
    Setting(
        "TALKSCOPE_ALLOW_SIDE_EFFECTS",
        "0",
        "1 adds the few tools, and allows the calls, that change something on a platform, such as scoring anew.",
    ),
)
