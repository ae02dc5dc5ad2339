# Everything a user or a contributor types. Python 3.10 or later and make are all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# resolves for every supported Python and platform at once, which pip cannot
UV_VERSION := 0.13.9

.DEFAULT_GOAL := help
.PHONY: help install demo run test lint format bench bench-reports bench-scale soak docs lock clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## make .venv with everything pinned (the others do it when needed)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "Python 3.10 or later is needed; name one: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(VENV), once ..." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
		echo "no virtual environment could be made; on Debian: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## see it work against a simulated space, without an account
	@$(BIN)/signalwire-orders demo

run: $(STAMP) ## load your account's orders (needs credentials, see README)
	@$(BIN)/signalwire-orders run $(ARGS)

test: $(STAMP) ## run the tests
	@$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(STAMP) ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(STAMP) ## put the code into the project's style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP) ## count what runs cost: requests, rows written (takes a minute)
	@$(BIN)/python -m bench.cost

bench-reports: $(STAMP) ## time every report over a million orders
	@$(BIN)/python -m bench.reports

bench-scale: $(STAMP) ## work out what many machines would do (takes some minutes)
	@$(BIN)/python -m bench.scale

soak: $(STAMP) ## play N random histories with another SEED, as in: make soak N=2000 SEED=7
	@HISTORIES=$(or $(N),2000) HISTORIES_ON_POSTGRES=$(or $(N),200) SEED=$(or $(SEED),$(shell date +%s)) \
		sh -c 'echo "SEED=$$SEED"; $(BIN)/python -m pytest -n auto tests/test_histories.py'

docs: $(STAMP) ## write the output shown in README.md and docs/ anew
	@UPDATE_DOCS=1 $(BIN)/python -m pytest -p no:xdist tests/test_docs.py

lock: ## pin the newest allowed versions, with hashes, for all platforms
	@test -x .cache/lock/bin/uv || { $(PYTHON) -m venv .cache/lock && .cache/lock/bin/pip install --quiet uv==$(UV_VERSION); }
	@.cache/lock/bin/uv pip compile --quiet --universal --python-version 3.10 --all-extras --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --upgrade pyproject.toml -o requirements.lock

clean: ## remove the environment and caches
	@rm -rf $(VENV) .cache build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
