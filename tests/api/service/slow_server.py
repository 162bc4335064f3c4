"""A server whose questions take as long as a test likes: `slow_server.py FOLDER GRACE [PATIENCE]`.

A question on account `local` leaves the file `began` in the folder, and ends when `end` is there. With `endless` in the
folder it is a query that takes days instead.
"""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from talkscope.api import Answering, service
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.warehouse.store import Stop
from tests.api.answering import META, Slow

folder, grace = Path(sys.argv[1]), float(sys.argv[2])
patience = float(sys.argv[3]) if len(sys.argv) > 3 else 60.0
endless = Slow(folder)


def answering_for(account: str) -> Answering:
    def answer(name: str, asked: Asked, stop: Stop) -> Answer:
        (folder / "began").touch()
        if (folder / "endless").exists():
            return endless(name, asked, stop)
        while not (folder / "end").exists():
            threading.Event().wait(0.005)
        if (folder / "large").exists():
            return Answer(columns=["x"], rows=[["x" * 1_000]] * 40_000, meta=META)
        return Answer(columns=["account"], rows=[[account]], meta=META)

    return answer


app = service.build(answering_for, service.OpenGate("local"), clock=lambda: datetime.now(UTC))
listening = service.listen("127.0.0.1", 0)
port = listening.getsockname()[1]
service.run(
    app,
    listening,
    grace=grace,
    started=lambda: print(f"Serving on http://127.0.0.1:{port}", flush=True),
    patience=patience,
)
listening.close()
endless.store.close()
