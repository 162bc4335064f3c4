"""Telemetry that the user holds: immutable Parquet segments, one manifest, exact answers."""
