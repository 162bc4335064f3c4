"""The vocabulary that everything else shares: windows, records, measures, answers."""
