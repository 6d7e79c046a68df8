# Everything a person does with this folder; `make help` lists it. The logic of the set-up is in scripts/setup.sh.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test lint audit check bench chaos format translations clean

python := .venv/bin/python
# Options for pytest, for example: make test PYTEST_ARGS="tests/hosts -x"
PYTEST_ARGS ?=
# Test processes at a time: tests wait more for disks and browsers than they compute. Each has a MongoDB of its own (1 GB).
# The tests of one file stay together, as they may share a server.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n > 4 ? n : n * 2 > 4 ? 4 : n * 2)))
KILLS ?= 200

babel = $(python) -m babel.messages.frontend --quiet
catalogues := ChatBot/translations

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## install what running needs, once, and make .env
	@sh scripts/setup.sh run

setup-dev: ## install what testing needs as well
	@sh scripts/setup.sh dev

run: setup ## set up and start on http://127.0.0.1:5000 (HOST and PORT change it)
	@exec $(python) -m ChatBot

test: setup-dev ## set up and run the tests (PYTEST_ARGS="tests/hosts -x" chooses some)
	@$(python) -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

lint: setup-dev ## check format, style, types and import contracts
	@$(python) -m ruff format --check .
	@$(python) -m ruff check .
	@$(python) -m mypy
	@$(python) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

audit: setup-dev ## look for secrets in the files, and for known holes in the libraries
	@$(python) scripts/secrets_scan.py
	@$(python) scripts/advisories.py

check: lint audit test ## everything a change must pass: lint, audit, then test

bench: setup-dev ## print the performance table
	@$(python) -m bench

chaos: setup-dev ## kill the server 200 times under load and count what was lost (KILLS=20 for a short run)
	@$(python) -m tests.chaos --kills $(KILLS)

format: setup-dev ## put the code into the one format
	@$(python) -m ruff check --fix --quiet .
	@$(python) -m ruff format .

translations: setup-dev ## collect the texts of the pages and compile their translations
	@$(babel) extract -F $(catalogues)/babel.cfg -k "known lazy_gettext Sentence" --no-location --sort-output --project ChatBot --header-comment "# The texts of the pages." -o $(catalogues)/messages.pot ChatBot templates
	@$(babel) update -i $(catalogues)/messages.pot -d $(catalogues) --no-fuzzy-matching --ignore-obsolete
	@$(babel) compile -d $(catalogues)

clean: ## remove what was installed or cached here; never .env or stored pictures
	@rm -rf .venv node_modules htmlcov .coverage test-results
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
