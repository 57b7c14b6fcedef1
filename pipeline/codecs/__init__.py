"""The networks and their bytes; used by training, serving and evaluation alike."""
