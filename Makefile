# `make run` and `make test` set up everything that they need in .venv/ and build/.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test check format simulate demo-models clean

help:
	@echo "make run     run the example suites against the embedded demo models (no key, no network)"
	@echo "make test    run every test, with coverage"
	@echo "make check   lint, types, import contracts"
	@echo "make format  format the code"
	@echo "make simulate  measure what the statistics promise (about ten minutes) and write docs/simulations.md"

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("regrade needs Python 3.11 or newer; this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing regrade into $(VENV)/ ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[demo,dashboard]"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing what tests and checks need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[all]" --group dev
	@touch $@

# Clients and servers that nobody here wrote, each in an environment of its own: tests talk to them.
build/.peers: Makefile
	@echo "installing peers that tests talk to into build/ ..."
	@set -e; for peer in "llmock llmock>=0.2.2,<0.3" "openai2 openai>=2,<3" "openai3 openai>=3,<4"; do \
	  set -- $$peer; \
	  test -x build/$$1/bin/python || $(PYTHON) -m venv build/$$1; \
	  build/$$1/bin/python -m pip install --quiet --disable-pip-version-check "$$2"; \
	done
	@if command -v npm >/dev/null; then \
	  npm install --prefix build/node --no-audit --no-fund --silent openai@^6 @copilotkit/aimock@^1.43 axe-core@^4 && touch $@; \
	else \
	  echo "npm is missing, so tests with peers for Node, and of accessibility, will skip: apt-get install nodejs npm (Node 20 or newer)"; \
	fi

run: $(VENV)/.installed
	@$(BIN)/regrade run evals

test: $(VENV)/.installed-dev build/.peers
	@command -v chromium >/dev/null || echo "chromium is missing, so tests in a browser will skip: apt-get install chromium"
	@mkdir -p build/coverage
	@rm -f build/coverage/data*
	@$(BIN)/coverage run -m pytest -n auto --dist loadfile $(PYTEST)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --format=total | sed 's/^/branch coverage in percent: /'

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy src tests
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

simulate: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/simulate.py -o docs/simulations.md

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
