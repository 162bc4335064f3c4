"""What all tests share."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# How fast examples are made and run says something about the machine, and nothing about the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# A shell starts background jobs with SIGINT ignored, and so would they start the programs that Ctrl-C is tried on.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
