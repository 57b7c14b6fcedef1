"""Errors, strict config, seeds from names, stores, progress. Imports neither torch nor ray."""
