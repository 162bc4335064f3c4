"""Clients for blocking and for async code, which ask the same calls of a service or of an app in process."""

from __future__ import annotations

from talkscope.client.asynchronous import AsyncClient
from talkscope.client.blocking import Client
from talkscope.client.convai import AsyncConvaiAnalytics, ConvaiAnalytics
from talkscope.client.portal import PortalTransport
from talkscope.client.recent import Recent

__all__ = ["AsyncClient", "AsyncConvaiAnalytics", "Client", "ConvaiAnalytics", "PortalTransport", "Recent"]
