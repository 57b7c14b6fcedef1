"""Diptych command line."""
