"""`talkscope serve` for one warehouse, with a clock that stands still: `fixed_server.py WAREHOUSE TIME`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from talkscope.serving import Place, serve
from talkscope.settings import Settings

NOW = datetime.fromisoformat(sys.argv[2])


def _said(url: str) -> None:
    print(f"Serving on {url}", flush=True)


serve(Place(port=0), Settings(), warehouse=Path(sys.argv[1]), clock=lambda: NOW, started=_said)
