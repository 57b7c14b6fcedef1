"""One module a scene; `table.py` lists them."""
