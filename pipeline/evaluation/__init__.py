"""Checkpoints and peers measured on pictures, and the page that shows a whole road's results."""
