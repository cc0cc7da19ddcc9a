# The index of what can be done here: `make help`.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

install: $(STAMP) ## a virtual environment with everything, from the lock

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

module: ## the native module, compiled again
	$(BIN)/python hatch_build.py

demo: install ## delete people from a real table through the public API, and prove it
	$(BIN)/python examples/first_deletion.py

serve: install ## the API on http://127.0.0.1:8080, with settings made at the first start
	@test -f data/lethe.toml || $(BIN)/lethe config init data/lethe.toml
	LETHE_CONFIG=data/lethe.toml $(BIN)/lethe serve

test: install ## every test, on SQLite and on a PostgreSQL that the suite starts by itself
	$(BIN)/pytest -n 2 --dist loadgroup

check: install ## style, types, import rules, reference pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/reference/generate.py --check

bench: install ## how fast and how large, on SQLite and PostgreSQL; takes some minutes
	$(BIN)/python -m bench

docs: install ## write the reference pages that are made from the code
	$(BIN)/python docs/reference/generate.py

lock: ## renew requirements.lock from pyproject.toml
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv
	build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --no-header --extra postgres --group dev --output-file requirements.lock --upgrade pyproject.toml

.PHONY: help install demo serve test check bench docs lock
