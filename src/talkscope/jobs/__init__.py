"""Long work with progress: loading, syncing, exporting, the demo and the report."""
