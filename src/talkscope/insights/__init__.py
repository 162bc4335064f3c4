"""What telemetry means, wherever it came from: numbers and spans in, figures and rows of an answer out.

Nothing here knows a warehouse, a source or a clock; what is random takes a `random.Random`.
"""
