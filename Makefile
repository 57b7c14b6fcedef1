# `make demo` and `make test` are all a newcomer needs; each sets itself up first.

PYTHON ?= python3
BIN := .venv/bin
DEMO ?= runs/demo
PHOTOS ?=

.PHONY: help setup demo test check format clean

help: ## Show this list.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: .venv/.from-lock ## Make .venv from uv.lock (uv is fetched by pip if it is not there).

.venv/.from-lock: uv.lock pyproject.toml
	@if command -v uv >/dev/null; then uv=uv; else \
		test -x .uv/bin/uv || { $(PYTHON) -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv; }; \
		uv=.uv/bin/uv; \
	fi; \
	$$uv sync --frozen --all-extras --quiet
	@touch $@

demo: setup ## Walk the road from screen to archive; ends with a table and an HTML report in runs/demo.
	$(BIN)/diptych demo --out $(DEMO) $(if $(PHOTOS),--photos "$(PHOTOS)")

check: setup ## Format, lint, types, import contracts.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Tests start Ray, and Ray's workers inherit the launcher: under `uv run` they would rebuild the environment, so pytest
# runs from .venv itself.
test: check ## Everything that a change has to pass.
	$(BIN)/python -m pytest -m "not slow and not gpu"

format: setup ## Format and fix what can be fixed.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove the environment and all runs.
	rm -rf .venv .uv runs
