"""Every call of every platform, answered by a server that keeps the vendor's contract, and understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from talkscope.client import AsyncClient, Client
from talkscope.platforms import NAMES, platform
from talkscope.platforms.agent_studio import Stream
from tests.platforms.parameters import call_named, contract
from tests.vendors import agent_studio, general_bots, mavenoid, studio_chat
from tests.vendors.engine import Vendor
from tests.vendors.serving import served

NOW = datetime(2026, 5, 5, 16, 30, tzinfo=UTC)
OPERATIONS = [(name, operation) for name in NAMES for operation in contract(name).operations]
TENANT = agent_studio.make_tenant(NOW, calls=30)
ACCOUNT = studio_chat.world(conversations=24)
PROJECT = ACCOUNT.projects[0]
BASE = next(base for base in PROJECT.bases if base.items)
TALK = next(each for each in PROJECT.conversations if len(each.messages) > 1)
# What is talked about in the seven days that topics are made of.
LATELY = [each for each in PROJECT.conversations if each.last_at > ACCOUNT.now - timedelta(days=7)]
TAGS = [tag for tag, _ in Counter(tag for each in LATELY for tag in each.tags).most_common(2)]
WINDOW = {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"}
IDS: dict[str, object] = {
    "project_id": PROJECT.id,
    "conversation_id": TALK.id,
    "conversation_ids": [each.id for each in PROJECT.conversations][:3],
    "playbook_id": PROJECT.playbooks[0].id,
    "base_id": PROJECT.playbooks[0].base_id,
    "version_number": 1,
    "kb_id": BASE.id,
    "item_id": BASE.items[0][0],
    "tool_id": PROJECT.tools[0].id,
    "case_id": PROJECT.cases[0].id,
    "run_id": PROJECT.runs[0].id,
    "slug": PROJECT.metrics[0].slug,
    "id": next(call.id for call in TENANT.calls if call.ended),
    "days": 7,
    "name": "messages.total",
}


class Account:
    """A vendor's server, and a client with a key of it."""

    def __init__(self, name: str, vendor: Vendor, key: str) -> None:
        self.vendor = vendor
        self.platform = platform(name)
        self.key = SecretStr(key)
        self.serving: AbstractContextManager[str] = served(vendor)
        self.url = self.serving.__enter__()
        header, secret = self.platform.access.header(self.key)
        self.client = Client(self.url, key=secret, key_header=header)

    def ask(self, name: str, /, **words: object) -> Any:
        """The answer to the call of that name."""
        return self.client.send(self.platform.calls[name](**words))

    def close(self) -> None:
        self.client.close()
        self.serving.__exit__(None, None, None)

    def listened(self, stream: Stream) -> str:
        """The name of the stream's first event."""
        header, secret = self.platform.access.header(self.key)

        async def listen() -> str:
            async with AsyncClient(self.url, key=secret, key_header=header) as client:
                async with aclosing(client.listen(stream.path)) as events:
                    return (await anext(events)).name

        return anyio.run(listen)


@pytest.fixture(scope="module")
def accounts() -> Iterator[dict[str, Account]]:
    opened = {
        "studio_chat": Account("studio_chat", studio_chat.server(of=ACCOUNT), studio_chat.KEY),
        "agent_studio": Account("agent_studio", agent_studio.agent_studio(TENANT), agent_studio.KEY),
        "general_bots": Account("general_bots", general_bots.server("both"), general_bots.token("admin", "Admin")),
        "mavenoid": Account("mavenoid", mavenoid.mavenoid(mavenoid.make_world(NOW, conversations=40)), mavenoid.TOKEN),
    }
    yield opened
    for account in opened.values():
        account.close()


def words_for(account: Account, operation: str) -> dict[str, Any]:
    """What the call must be given, by the argument's name."""
    if operation == "query_dashboards":
        return {"question": {"question": "how many"}}
    report = {"type": "engagement", "start_date": "2026-05-01", "end_date": "2026-05-05"}
    if operation == "create_report":
        return report
    if operation == "report":
        return {"report_id": account.ask("create_report", **report).id}
    if operation in {"trending_topics_job", "trending_topics_analysis"}:
        return {"project_id": PROJECT.id, **begun(account, operation)}
    if operation == "analyst_conversation_messages":
        return {"conversation_id": account.ask("analyst_conversations")[0]["id"]}
    parameters = contract(account.platform.name).operations[operation].parameters
    told = {each.name: {**IDS, **WINDOW}[each.name] for each in parameters if each.required}
    if operation == "conversation_batch":
        told["conversation_ids"] = IDS["conversation_ids"]
    return {"call_id" if name == "id" else name: value for name, value in told.items()}


def begun(account: Account, operation: str) -> dict[str, Any]:
    """A job that makes topics of one tag, or the analysis that comes of it."""
    # One analysis a day of the same tags.
    tags = [TAGS[operation == "trending_topics_job"]]
    job = account.ask("generate_trending_topics", project_id=PROJECT.id, tags=tags).job_id
    if operation == "trending_topics_job":
        return {"job_id": job}
    looks = [account.ask("trending_topics_job", project_id=PROJECT.id, job_id=job) for _ in range(5)]
    return {"analysis_id": looks[-1].analysis_id}


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[f"{name}-{each}" for name, each in OPERATIONS])
def test_every_call_is_answered_by_its_vendor(name: str, operation: str, accounts: dict[str, Account]) -> None:
    account = accounts[name]
    call = call_named(name, operation)(**words_for(account, operation))
    account.vendor.forget()
    if isinstance(call, Stream):
        assert account.listened(call) in call.events
    else:
        assert account.client.send(call) is not None
    assert [one.operation for one in account.vendor.seen] == [operation]
