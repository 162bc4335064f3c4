"""Statistics without telemetry: numbers in, numbers out.

Nothing here knows a warehouse, a source or a clock; what is random takes a `random.Random`.
"""
