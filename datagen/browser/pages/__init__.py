"""Page scenes: one file each, registered in `table.py`."""
