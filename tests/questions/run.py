"""`make e2e`: the questions put to a live service, and a table of how each was answered. The key is never shown.

A service is named by --url, by CONVAI_ANALYTICS_BASE_URL and CONVAI_API_KEY, or by TALKSCOPE_URL and TALKSCOPE_API_KEY.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import httpx

from talkscope.errors import NotSupported, PlanInsufficient, PlanRequired, RateLimited, TalkscopeError
from talkscope.models.text import clean
from talkscope.models.v1.asked import V1Range
from tests.questions.asked import Asking, Question, every
from tests.questions.service import Address, Pace, Service

Status: TypeAlias = Literal["ok", "none", "plan", "not offered", "no data", "FAILED"]
LONGEST_WAIT = 120.0
"""Seconds that a rate limit is waited for, once a question."""


@dataclass(frozen=True, slots=True)
class Row:
    """How one question went: `none` is an answer without facts to a question that may have none."""

    question: str
    status: Status
    requests: int
    n: int | None
    said: str = ""

    @property
    def passed(self) -> bool:
        """Whether it is as it should be; a plan's limit is, and so is what the hosted API does not offer."""
        return self.status not in ("FAILED", "no data")


def main(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Ask every question; 0 when all passed, 1 when one did not, 2 when there is nothing to ask."""
    parser = argparse.ArgumentParser(prog="make e2e", description=__doc__)
    parser.add_argument("--url", help="the service; an address ending in /v1/analytics is asked as the hosted API is")
    parser.add_argument("--range", default="last_7d", choices=get_args(V1Range), help="default last_7d")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="between two requests, default 0")
    parser.add_argument("--only", default="", metavar="WORD", help="questions with this word; others may need its ids")
    parser.add_argument("--allow-empty", action="store_true", help="pass a question that finds nothing")
    asked = parser.parse_args(arguments)
    questions = [each for each in every() if asked.only in each.says]
    try:
        address = Address.chosen(asked.url, env)
        with Service(address, Pace(max(asked.delay, 0.0))) as service:
            print(f"Asking {address.v1} about {asked.range}.")
            rows = list(_told(ask_all(questions, Asking(service, asked.range), allow_empty=asked.allow_empty)))
    except TalkscopeError as error:
        print(f"e2e: {clean(str(error), 300)}", file=sys.stderr)
        return 2
    failed = sum(not row.passed for row in rows)
    gated = sum(row.status == "plan" for row in rows)
    limits = f", {gated} beyond the account's plan" if gated else ""
    print(f"{len(rows) - failed} passed, {failed} failed{limits}; {sum(row.requests for row in rows)} requests")
    return 1 if failed or not rows else 0


def ask_all(
    questions: Sequence[Question], asking: Asking, *, allow_empty: bool, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Row]:
    """Put the questions, one after the other."""
    for question in questions:
        before = asking.service.pace.requests
        status, n, said = _put(question, asking, allow_empty, sleep)
        yield Row(question.says, status, asking.service.pace.requests - before, n, said)


def _put(
    question: Question, asking: Asking, allow_empty: bool, sleep: Callable[[float], None]
) -> tuple[Status, int | None, str]:
    for last in (False, True):
        try:
            n = question.ask(asking)
        except (PlanRequired, PlanInsufficient) as error:
            return "plan", None, f"needs the plan {error.required_plan or 'above'} (HTTP {error.status})"
        except NotSupported as error:
            return ("FAILED" if error.code == "request_budget" else "not offered"), None, clean(error.message, 120)
        except RateLimited as error:
            wait = error.retry_after
            if last or wait is None or wait > LONGEST_WAIT:
                return "FAILED", None, clean(f"{error.code}: {error.message}", 120)
            sleep(max(wait, 2.0))
        except (TalkscopeError, AssertionError, httpx.HTTPError) as error:
            return "FAILED", None, clean(f"{getattr(error, 'code', type(error).__name__)}: {error}", 160)
        else:
            if n:
                return "ok", n, ""
            fine = question.rare or allow_empty
            return ("none" if fine else "no data"), n, "" if fine else "nothing in this range; --allow-empty passes it"
    raise AssertionError("a question is put twice at most")


def _told(rows: Iterator[Row]) -> Iterator[Row]:
    print(f"{'question':<38} {'status':<12} {'requests':>8} {'n':>9}")
    for row in rows:
        n = "" if row.n is None else f"{row.n:,}"
        print(f"{row.question:<38} {row.status:<12} {row.requests:>8} {n:>9}  {row.said}".rstrip(), flush=True)
        yield row


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
