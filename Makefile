# Everything that is done with a clone. Needs Python 3.11 or later with venv, and nothing else.

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
WORKERS ?= 3
ENVIRONMENT := .venv/.made-from-the-lock

.DEFAULT_GOAL := help
.PHONY: help run test check fix cases bench lock clean

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /	/' | expand -t 10

run: $(ENVIRONMENT) ## start everything on this machine, until Ctrl-C
	@exec $(BIN)/p2c up

test: $(ENVIRONMENT) ## the whole suite, on real servers
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: $(ENVIRONMENT) ## format, lint, types, arrows, generated docs, then the whole suite
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/p2c schema --check
	@$(MAKE) --no-print-directory test

fix: $(ENVIRONMENT) ## bring the code into its format, and repair what lint can repair
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

cases: $(ENVIRONMENT) ## the table of published cases, docs/cases.md, from their run
	@$(BIN)/python -m pytest -q tests/cases --write-cases

bench: $(ENVIRONMENT) ## the benchmarks, into build/bench.json
	@$(BIN)/p2c bench

lock: ## choose the newest allowed versions of all dependencies (needs uv)
	uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--no-header --quiet --extra dev pyproject.toml --output-file requirements.lock

clean: ## remove what can be made again; the data in .p2c stays
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Not made again while the lock and the project file are older than it.
$(ENVIRONMENT): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later with venv is needed: set PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
