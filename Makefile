# Two commands: `make run` does the main job, `make test` proves that it works. Both set up what is missing.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
QUESTION ?= Until what year will SQLite be supported?

.PHONY: run test test-chaos test-postgres test-vllm lint types setup setup-dev corpus clean

run: corpus
	$(BIN)/agentkit run graphs/grounded_answer.yaml --input question="$(QUESTION)"

test: setup-dev lint types
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not chaos and not postgres and not gpu and not vllm and not torch and not ray and not browser"

# Kills runs at every commit and counts the requests at a provider on loopback: a few minutes.
test-chaos: setup-dev
	CHAOS_RESULTS=evals/results/$$(date +%F)-chaos.json $(BIN)/python -m pytest -q -s -m chaos tests/chaos

# A real server: Debian's postgresql-15 in a folder of its own.
test-postgres: setup-dev
	$(BIN)/python -m pip install --quiet 'psycopg[binary]>=3.2'
	$(BIN)/python -m pytest -q -m postgres tests

# A real vLLM on the CPU, in an environment of its own: its engine in the process and its server on loopback.
test-vllm: .venv-vllm/.installed
	.venv-vllm/bin/python -m pytest -q -m "vllm or torch" $(VLLM_WARNINGS) tests/vllm

VLLM_WARNINGS := $(addprefix -W default::,pytest.PytestUnraisableExceptionWarning DeprecationWarning ResourceWarning)

.venv-vllm/.installed: tests/vllm/install.sh tests/vllm/requirements.py
	PYTHON=$(PYTHON) bash tests/vllm/install.sh .venv-vllm
	touch $@

lint: setup-dev
	$(BIN)/ruff check agentkit plugins tests evals
	$(BIN)/ruff format --check agentkit plugins tests evals

types: setup-dev
	$(BIN)/mypy

# The bundled documents as an index named `sqlite`; unchanged files are not embedded again.
corpus: setup
	$(BIN)/agentkit models pull smollm2
	$(BIN)/agentkit index graphs/corpus --name sqlite

setup: $(VENV)/.installed
setup-dev: $(VENV)/.installed-dev

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[local,chroma]'
	touch $@

$(VENV)/.installed-dev: pyproject.toml $(wildcard plugins/*/pyproject.toml) | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[local,chroma,litellm,http,dev]'
	$(BIN)/python -m pip install --quiet --no-deps -e plugins/agentkit-debate
	touch $(VENV)/.installed $@

clean:
	rm -rf $(VENV) .venv-vllm .agentkit .mypy_cache .pytest_cache .ruff_cache
