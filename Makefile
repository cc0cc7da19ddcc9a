# The index of what can be done here: `make help`.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
INTEROP := build/interop
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: $(STAMP) ## a virtual environment with everything, from the lock

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

module: ## the native module, compiled again
	$(BIN)/python hatch_build.py

demo: install ## delete people from real tables through the public API, and prove it
	$(BIN)/lethe demo

DATA ?= data
PORT ?= 8080
serve: install ## the same world, to stay: the API on http://127.0.0.1:8080 (PORT=…), its data in ./data (DATA=…)
	$(BIN)/lethe serve --demo --data-dir $(DATA) --port $(PORT)

test: install ## every test, on SQLite and on a PostgreSQL that the suite starts by itself
	$(BIN)/pytest -n 2 --dist loadgroup

torture: install ## everything that can happen to a worker, on both databases; takes an hour or two
	$(BIN)/pytest -n 0 -x -s tests/torture/long_run.py

check: install ## style, types, import rules, reference pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/reference/generate.py --check

faults: install ## every I/O call of forget and purge fails, kills the process, hangs; for every format
	LETHE_FAULTS=all $(BIN)/pytest -n 2 --dist loadgroup --timeout 7200 tests/engines/ordeal

properties: install ## the properties of the engines with many more drawn tables than `make test` tries; EXAMPLES=30
	LETHE_EXAMPLES=$(or $(EXAMPLES),30) $(BIN)/pytest -n 2 --timeout 7200 tests/engines/test_properties.py \
	  tests/engines/delta/test_properties.py tests/engines/iceberg/test_properties.py tests/engines/iceberg/test_histories.py

pure: install ## the engines' tests without the native module, as on a machine that has no compiler
	rm -f src/lethe/engines/rewrite/pages/_native.abi3.so
	LETHE_PURE=1 $(BIN)/pytest -n 2 --dist loadgroup tests/engines tests/pipeline; \
	  status=$$?; $(BIN)/python hatch_build.py && exit $$status

fuzz: install ## thousands of random and of broken Parquet files through the page rewriter; CASES=5000 SEED=1
	PYTHONPATH=tests $(BIN)/python -m engines.pages.fuzz rows --count $(or $(CASES),5000) $(if $(SEED),--seed $(SEED))
	PYTHONPATH=tests $(BIN)/python -m engines.pages.fuzz damage --count $(or $(CASES),5000) $(if $(SEED),--seed $(SEED))

sanitize: install ## the native module under AddressSanitizer and UBSan: tests, random files, broken files
	PYTHONPATH=tests $(BIN)/python -m engines.pages.sanitized $(if $(CASES),--rows $(CASES) --damage $(CASES)) $(if $(SEED),--seed $(SEED))

interop: install $(INTEROP) ## Spark, Daft, DuckDB, Polars, delta-rs and pyarrow write, pages are cut, Spark reads; needs Java 17
	PYTHONPATH=tests $(BIN)/python -m engines.pages.elsewhere spark $(INTEROP)/bin/python

$(INTEROP): pyproject.toml
	$(PYTHON) -m venv $@
	$@/bin/python -m pip --quiet --disable-pip-version-check install --upgrade "pip>=25.1"
	$@/bin/python -m pip --quiet --disable-pip-version-check install --group interop
	@touch $@

bench: install ## how fast and how large, on SQLite and PostgreSQL; takes some minutes
	$(BIN)/python -m bench

docs: install ## write the reference pages that are made from the code
	$(BIN)/python docs/reference/generate.py

recording: install ## write docs/demo.md from a real run of the demo
	$(BIN)/python docs/record_demo.py

site: install ## the documentation as a web site, in build/site
	$(BIN)/sphinx-build -W --keep-going -q -b html docs build/site
	@echo build/site/index.html

lock: ## renew requirements.lock from pyproject.toml
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv
	build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --no-header --extra postgres --extra s3 --group dev --output-file requirements.lock --upgrade pyproject.toml

.PHONY: help install demo serve test torture check faults properties pure fuzz sanitize interop bench docs recording site lock
