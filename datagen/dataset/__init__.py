"""Tools for finished corpora: they read shards and side-cars, and know nothing of how samples were made."""
