"""The routes `/v1/ask/<question>`: one for each question of the contract, in its own words."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.routing import Route

from talkscope.api.replies import Answered, body, route, words
from talkscope.api.work import Pool, Work
from talkscope.contract import QUERY, QUESTIONS, Question, understand
from talkscope.models.answers import Answer


def routes(pool: Pool) -> list[Route]:
    """A GET route for each question; `query`, whose words nest, is POST."""
    return [
        route(question.path, _answered(pool, question), method="POST" if question.name == QUERY.name else "GET")
        for question in QUESTIONS.values()
    ]


def _answered(pool: Pool, question: Question[Answer]) -> Answered:
    async def answered(request: Request) -> bytes:
        told: Mapping[str, object] = words(request)
        if question.name == QUERY.name:
            told = {**told, **await body(request)}
        asked = understand(question.params, told)

        def work(work: Work) -> bytes:
            # Written in the thread too: a long answer takes its time.
            return work.ask(question, asked).model_dump_json().encode()

        return await pool.run(request, work)

    return answered
