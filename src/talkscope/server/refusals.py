"""Errors of the protocol's own: what prompts, resources and completions answer when they cannot."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS

from talkscope.errors import Json, NotFound, TalkscopeError, UsageError
from talkscope.tools.tool import refused

logger = logging.getLogger(__name__)


class UnexpectedFailure(TalkscopeError):
    """Something went wrong that nobody foresaw; what it was is in the server's log only."""

    code = "internal_error"
    status = 500
    default_hint = "Ask again; if it stays, the server's log on stderr has the cause."


def refusal(error: TalkscopeError, *, code: int | None = None, **more: Json) -> MCPError:
    """The error as the protocol sends it: what happened and what to do; `data` has its parts.

    Args:
        error: What went wrong.
        code: The protocol's number; without it, invalid parameters where the caller can do better, else internal.
        more: Further members of `data`.
    """
    shaped = refused(error)
    told = shaped.structured["error"]
    assert isinstance(told, dict)
    ours = INVALID_PARAMS if isinstance(error, UsageError | NotFound) else INTERNAL_ERROR
    text = f"{told['message']} {told['hint']}".strip()
    return MCPError(ours if code is None else code, text, {**told, **more})


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Turn what goes wrong inside into an error of the protocol, and log what nobody foresaw."""
    try:
        yield
    except MCPError:
        raise
    except TalkscopeError as error:
        raise refusal(error) from None
    except Exception:
        logger.exception("%s failed", what)
        raise refusal(UnexpectedFailure(f"{what} failed in a way that nobody foresaw.")) from None
