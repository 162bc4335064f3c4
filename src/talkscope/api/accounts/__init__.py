"""Who may ask a served API: accounts and their folders, keys and their plans, and what a key has used up."""

from __future__ import annotations

from talkscope.api.accounts.book import Book
from talkscope.api.accounts.keys import Accounts, Key
from talkscope.api.accounts.limits import Meter
from talkscope.api.accounts.plans import PLANS, Limits, Plan

__all__ = ["PLANS", "Accounts", "Book", "Key", "Limits", "Meter", "Plan"]
