.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m thrive_sync.stack run --

.PHONY: help demo test lint bench soak screenshots messages clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 14

demo: .venv/demo.stamp  ## everything on this machine, with a stand-in MemberSuite; Ctrl-C stops it
	@$(BIN)/python manage.py demo

test: .venv/dev.stamp  ## checks and tests, on throw-away servers
	@$(RUN) $(BIN)/python -m tests

lint: .venv/dev.stamp  ## the checks alone: ruff, mypy, import rules, migrations, deployment
	@$(RUN) $(BIN)/python -m tests --only-checks

bench: .venv/dev.stamp  ## measure speed beside other programs (ITEMS=pages,clicks SIZE=big PEOPLE= ROUNDS=)
	@$(RUN) $(BIN)/python -m bench $(if $(ITEMS),--items $(ITEMS)) $(if $(SIZE),--size $(SIZE)) \
		$(if $(PEOPLE),--people $(PEOPLE)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(PEERS),--peers $(PEERS))

soak: .venv/dev.stamp  ## the tests that take minutes
	@$(RUN) $(BIN)/python -m tests.soak

screenshots: .venv/dev.stamp  ## take the pictures of docs/tour.md anew
	@BROWSER=required SCREENSHOTS=docs/images/tour $(RUN) $(BIN)/python -m pytest -q -n 0 -m screenshots tests/e2e/test_tour.py

messages: .venv/dev.stamp  ## write anew what there is to translate (locale/*.pot)
	@$(BIN)/python -m thrive_sync.translating

clean:  ## remove the virtual environment, the demo's data and all caches
	@if [ -x $(BIN)/python ] && [ -e .venv/demo.stamp -o -e .venv/dev.stamp ]; then $(BIN)/python -m thrive_sync.stack clean; fi
	@rm -rf .venv .venv-bench .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=...")'
	@$(PYTHON) -m venv .venv

.venv/demo.stamp: requirements.txt requirements-embedded.txt | .venv/bin/python
	@echo "Installing the demo's packages ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-embedded.txt
	@touch $@

.venv/dev.stamp: requirements.txt requirements-embedded.txt requirements-dev.txt requirements-browser.txt | .venv/bin/python
	@echo "Installing the packages of tests and checks ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt -r requirements-browser.txt
	@touch $@
