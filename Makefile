# Every target sets up what it needs in .venv and skips what is done. Only Python 3.11+ and make are needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_HOME ?= $(CURDIR)/.dagster
PYTEST_WORKERS ?= 2

.PHONY: help install install-dev demo test test-all lint format ui bench clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@$(BIN)/python -m compileall -q parity_data
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m compileall -q parity_data
	@touch $@ $(VENV)/.installed

install: $(VENV)/.installed ## Install the product into .venv

install-dev: $(VENV)/.installed-dev ## Install the product and what tests and linters need

demo: $(VENV)/.installed ## Start two PostgreSQL servers, fill one, refresh the other, print the report's path
	$(BIN)/parity demo run

test: $(VENV)/.installed-dev ## Run the tests
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadfile -m 'not slow'

test-all: $(VENV)/.installed-dev ## Run the tests that are slow by nature, too
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadfile

lint: $(VENV)/.installed-dev ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(DAGSTER_HOME)/dagster.yaml: dagster.yaml
	@mkdir -p $(@D) && cp dagster.yaml $@

ui: $(VENV)/.installed $(DAGSTER_HOME)/dagster.yaml ## Open the Dagster UI on http://127.0.0.1:3000
	@$(BIN)/dagster run list >/dev/null
	$(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p 3000

bench: $(VENV)/.installed-dev ## Measure speed and memory against pg_dump in the same run
	$(BIN)/python -m benchmarks.transfer

clean: ## Stop the demo and remove everything that was made here
	@if [ -x $(BIN)/parity ]; then $(BIN)/parity demo reset || true; fi
	rm -rf $(VENV) .dagster .parity .pytest_cache .hypothesis .ruff_cache .mypy_cache build dist *.egg-info
