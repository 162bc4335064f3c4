"""Vendors' analytics APIs: one module or package each, functions that return calls for the clients to send."""
