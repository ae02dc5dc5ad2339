# Everything a user or a contributor types. Python 3.10 or later and make are all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Airflow pins much of what it needs, so it has an environment and a lock of its own
AIRFLOW_VENV := .venv-airflow
AIRFLOW_STAMP := $(AIRFLOW_VENV)/.installed
# and so does Superset, which Streamlit shares
BI_VENV := .venv-bi
BI_STAMP := $(BI_VENV)/.installed
# engines of other databases, and dbt: more than a gigabyte
WAREHOUSES_VENV := .venv-warehouses
WAREHOUSES_STAMP := $(WAREHOUSES_VENV)/.installed
# the same as for other tests, with the extras of destinations that few need
EXTRAS_VENV := .venv-extras
EXTRAS_STAMP := $(EXTRAS_VENV)/.installed
# and with the DuckDB that DuckLake is there for
LAKE_VENV := .venv-lake
LAKE_STAMP := $(LAKE_VENV)/.installed
# check the dashboard's scripts, and are needed for nothing else
SCRIPT_TOOLS := .cache/scripts/node_modules/.bin
SCRIPTS := pipelines/dashboard/scripts/*.js
# resolves for every supported Python and platform at once, which pip cannot
UV_VERSION := 0.13.9

.DEFAULT_GOAL := help
.PHONY: help install demo run test proof test-airflow test-superset test-warehouses test-lake lint lint-scripts format format-scripts bench bench-peers bench-cost bench-reports bench-dashboard bench-postgres bench-scale soak docs lock clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

install: $(STAMP) ## make .venv with everything pinned (the others do it when needed)

# $(1) is the environment, $(2) the lock, $(3) what says that the project itself is not for it.
# A lock is complete, and pip before 23.3 cannot resolve extras of packages with hashes: --no-deps
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "Python 3.10 or later is needed; name one: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(1), once ..." >&2
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1) || { \
		echo "no virtual environment could be made; on Debian: apt install python3-venv" >&2; exit 1; }
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(2)
	@test -n "$(3)" || $(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
endef

$(STAMP): requirements/dev.lock pyproject.toml
	$(call environment,$(VENV),requirements/dev.lock)

$(AIRFLOW_STAMP): requirements/airflow.lock pyproject.toml
	$(call environment,$(AIRFLOW_VENV),requirements/airflow.lock)

$(BI_STAMP): requirements/bi.lock
	$(call environment,$(BI_VENV),requirements/bi.lock,apart)

$(WAREHOUSES_STAMP): requirements/warehouses.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Spark needs Python 3.11 or later; name one: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	$(call environment,$(WAREHOUSES_VENV),requirements/warehouses.lock,apart)

$(EXTRAS_STAMP): requirements/extras.lock pyproject.toml
	$(call environment,$(EXTRAS_VENV),requirements/extras.lock)

$(LAKE_STAMP): requirements/dev.lock requirements/lake.lock pyproject.toml
	$(call environment,$(LAKE_VENV),requirements/dev.lock)
	@$(LAKE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lake.lock
	@touch $@

demo: $(STAMP) ## see it work against a simulated space, without an account
	@$(BIN)/signalwire-orders demo

run: $(STAMP) ## load your account's orders (needs credentials, see README)
	@$(BIN)/signalwire-orders run $(ARGS)

test: $(STAMP) ## run the tests (5 minutes on two cores)
	@PYTHONPATH=tests $(BIN)/python -m support.chromium
	@$(BIN)/python -m pytest -n auto $(ARGS)

proof: $(STAMP) ## run the long tests: histories, kills, shards, the wheel (40 minutes)
	@PYTHONPATH=tests $(BIN)/python -m support.chromium
	@$(BIN)/python -m pytest -n auto -m proof $(ARGS)

test-airflow: $(AIRFLOW_STAMP) ## run the tests of the DAG in a real Airflow (needs redis-server)
	@$(AIRFLOW_VENV)/bin/python -m pytest tests/dags $(ARGS)

test-superset: $(STAMP) $(BI_STAMP) ## compare the charts of a real Superset and Streamlit with SQL
	@PYTHONPATH=tests $(BIN)/python -m support.chromium
	@$(BIN)/python -m pytest tests/bi $(ARGS)

test-warehouses: $(WAREHOUSES_STAMP) $(EXTRAS_STAMP) ## try other engines, dbt, MariaDB, Delta and Snowflake's SQL (needs Java 17, mariadb-server)
	@$(EXTRAS_VENV)/bin/python -m pytest tests/warehouses $(ARGS)
	@for destination in mariadb delta snowflake; do \
		CONFORMANCE=$$destination $(EXTRAS_VENV)/bin/python -m pytest \
			-n auto -m "proof or not proof" tests/conformance || exit 1; \
	done

test-lake: $(LAKE_STAMP) ## the conformance suite on DuckLake (10 minutes)
	@mkdir -p .cache/lake-home
	@HOME=$(CURDIR)/.cache/lake-home $(LAKE_VENV)/bin/python tests/support/lake_extensions.py
	@for catalog in ducklake ducklake-postgres; do \
		HOME=$(CURDIR)/.cache/lake-home CONFORMANCE=$$catalog $(LAKE_VENV)/bin/python -m pytest \
			-n auto -m "proof or not proof" tests/conformance $(ARGS) || exit 1; \
	done

lint: $(STAMP) ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

lint-scripts: $(SCRIPT_TOOLS)/tsc ## the same for the dashboard's scripts (needs Node.js)
	@$(SCRIPT_TOOLS)/prettier --log-level warn --config requirements/scripts/package.json --check $(SCRIPTS)
	@$(SCRIPT_TOOLS)/tsc --project requirements/scripts

format: $(STAMP) ## put the code into the project's style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

format-scripts: $(SCRIPT_TOOLS)/tsc ## the same for the dashboard's scripts (needs Node.js)
	@$(SCRIPT_TOOLS)/prettier --log-level warn --config requirements/scripts/package.json --write $(SCRIPTS)

$(SCRIPT_TOOLS)/tsc: requirements/scripts/package-lock.json
	@command -v npm > /dev/null || { echo "Node.js with npm is needed to check the dashboard's scripts" >&2; exit 1; }
	@mkdir -p .cache/scripts && cp requirements/scripts/package*.json .cache/scripts
	@npm ci --silent --prefix .cache/scripts && touch $@

bench: $(STAMP) ## time runs beside others' and write docs/performance.md (takes 8 minutes)
	@$(BIN)/python -m bench.backfill
	@$(BIN)/python -m bench.crowded
	@$(BIN)/python -m bench.quiet
	@$(BIN)/python -m bench.merge

bench-peers: $(STAMP) ## time first loads beside dlt's rest_api, PyAirbyte and Singer (takes half an hour)
	@for peer in airbyte singer; do \
		test -e .cache/peers/$$peer/.installed || { \
			echo "Setting up $$peer, once ..." >&2; \
			$(PYTHON) -m venv .cache/peers/$$peer && \
			.cache/peers/$$peer/bin/pip install --quiet --disable-pip-version-check \
				-r bench/peers/$$peer/requirements.txt && \
			touch .cache/peers/$$peer/.installed; } || exit 1; \
	done
	@$(BIN)/python -m bench.overview

bench-cost: $(STAMP) ## count what runs cost: requests, rows written (takes a minute)
	@$(BIN)/python -m bench.cost

bench-reports: $(STAMP) ## time every report over a million orders
	@$(BIN)/python -m bench.reports

bench-dashboard: $(STAMP) ## measure the dashboard of a million orders
	@PYTHONPATH=tests $(BIN)/python -m bench.dashboard

bench-scale: $(STAMP) ## work out what many machines would do (takes some minutes)
	@PYTHONPATH=tests $(BIN)/python -m bench.scale

bench-postgres: $(STAMP) ## compare the ways to load 200,000 orders into PostgreSQL
	@PYTHONPATH=tests $(BIN)/python -m bench.postgres

soak: $(STAMP) ## play N random histories with another seed: make soak N=2000 SEED=7
	@HISTORIES=$(or $(N),2000) HISTORIES_ON_POSTGRES=$(or $(N),200) SEED=$(or $(SEED),$(shell date +%s)) \
		sh -c 'echo "SEED=$$SEED"; $(BIN)/python -m pytest -n auto -m "proof or not proof" tests/test_histories.py'

docs: $(STAMP) ## rewrite the output shown in README.md and docs/
	@UPDATE_DOCS=1 $(BIN)/python -m pytest -p no:xdist -m "proof or not proof" tests/test_docs.py

# uv names no registry in a lock, so that it holds for every mirror
COMPILE := .cache/lock/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header --upgrade

lock: ## pin the newest allowed versions, with hashes, for all platforms
	@test -x .cache/lock/bin/uv || { $(PYTHON) -m venv .cache/lock && .cache/lock/bin/pip install --quiet uv==$(UV_VERSION); }
	@$(COMPILE) pyproject.toml --extra dev -o requirements/dev.lock
	@$(COMPILE) pyproject.toml --extra notify --extra postgres --extra simulator -o requirements/run.lock
	@$(COMPILE) pyproject.toml --extra airflow-dev -o requirements/airflow.lock
	@$(COMPILE) requirements/bi.in -o requirements/bi.lock
	@$(COMPILE) --python-version 3.11 --no-strip-extras requirements/warehouses.in -o requirements/warehouses.lock
	@$(COMPILE) --python-version 3.11 pyproject.toml --extra dev --extra delta --extra snowflake requirements/extras.in -o requirements/extras.lock
	@$(COMPILE) requirements/lake.in -o requirements/lake.lock

clean: ## remove the environment and caches
	@rm -rf $(VENV) $(AIRFLOW_VENV) $(BI_VENV) $(WAREHOUSES_VENV) $(EXTRAS_VENV) $(LAKE_VENV) .cache build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
