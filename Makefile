# Penstock's commands. Each works as the first one in a fresh clone: it makes .venv itself.
# Wanted on the machine: Python 3.11 or later, make, a package index. No root, no Docker, no Redis.

SHELL := /bin/sh
.DEFAULT_GOAL := help

PACKAGES := contract scheduler scraper storage penstock
PYTHON   := .venv/bin/python
#: Test processes. Each one starts a server of its own, so more than the machine has cores only slows the suite down.
JOBS     ?= 2

# The stamp's name holds this folder's path: a clone that was copied or moved installs itself anew.
STAMP := .venv/installed-$(shell pwd | cksum | cut -d' ' -f1)

$(STAMP): pyproject.toml constraints.txt tools/bootstrap.py
	@command -v python3 >/dev/null || { echo 'penstock: no python3 on PATH; install Python 3.11 or later.' >&2; exit 1; }
	@python3 tools/bootstrap.py $@

.PHONY: help demo test again soak check fmt lock readme recording screenshots contract check-contract check-wacz clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: $(STAMP) ## crawl the simulated web, with the live view; needs no network
	@$(PYTHON) -m penstock.demo

test: $(STAMP) ## run the tests (JOBS=2 processes), without the soak tests
	@$(PYTHON) -m pytest -q -n $(JOBS) tests

again: $(STAMP) ## run the tests that failed the last time, one by one
	@$(PYTHON) -m pytest -v --last-failed --last-failed-no-failures=none tests

soak: $(STAMP) ## run the soak tests, which take minutes each
	@$(PYTHON) -m pytest -q -m soak tests

check: $(STAMP) ## ruff, mypy --strict and the architecture tests
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy --strict $(addprefix -p ,$(PACKAGES))
	@$(PYTHON) -m pytest -q tests/architecture

fmt: $(STAMP) ## format the code, and mend what ruff can mend
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

lock: $(STAMP) ## renew constraints.txt and the image's locks from pyproject.toml
	@uv --version >/dev/null 2>&1 || $(PYTHON) -m uv --version >/dev/null 2>&1 || $(PYTHON) -m pip install -q uv
	@uv=uv; $$uv --version >/dev/null 2>&1 || uv="$(PYTHON) -m uv"; \
	  $$uv pip compile -q --upgrade --universal --python-version 3.11 --no-annotate --no-header --all-extras \
	    pyproject.toml -o constraints.txt && \
	  $$uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	    -c constraints.txt --extra postgres --extra s3 --extra otel --extra detector pyproject.toml -o requirements.lock && \
	  sed -n '/^\[build-system\]/,/^$$/s/^requires = \["\(.*\)"\]/\1/p' pyproject.toml | \
	  $$uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	    - -o deploy/build.lock

readme: $(STAMP) ## fill the README's generated blocks: the map and the recording
	@$(PYTHON) -m tools.freshen_readme

recording: $(STAMP) ## crawl the simulated web, and make the README's picture of the live view anew
	@$(PYTHON) -m tools.record_live_view
	@$(PYTHON) -m tools.freshen_readme

screenshots: $(STAMP) ## make the README's pictures of the dashboard anew; needs Chromium
	@$(PYTHON) -m tools.screenshots

contract: $(STAMP) ## write docs/contract from the message classes and the map
	@$(PYTHON) -m contract.published

# Parser and generator are AsyncAPI's own, and exist for node alone; none of their packages may run a script at install.
NODE_FOLDER := build/node
ASYNCAPI    := @asyncapi/parser@3.6.3 @asyncapi/modelina@5.10.1 typescript@5.9.3

check-contract: $(STAMP) ## the contract in the eyes of AsyncAPI's parser and generator, and its tests; needs node and npm
	@command -v npm >/dev/null || { echo 'penstock: no npm on PATH; install Node.js 20 or later.' >&2; exit 1; }
	@mkdir -p $(NODE_FOLDER)
	@npm install --prefix $(NODE_FOLDER) --no-save --no-fund --no-audit --ignore-scripts --silent $(ASYNCAPI)
	@node tools/check_asyncapi.mjs $(NODE_FOLDER) docs/contract/asyncapi.json docs/contract/asyncapi-3.0.json
	@node tools/check_models.mjs $(NODE_FOLDER) docs/contract/asyncapi-3.0.json tests/contract/golden
	@$(PYTHON) -m pytest -q tests/contract -k contract

# Judges and no dependencies: pywb wants releases of others that ours do not, so they have a place of their own.
WACZ_FOLDER := build/wacz
WACZ_JUDGES := wacz==0.6.0 pywb==2.10.0 surt==0.3.1

check-wacz: $(STAMP) ## a small crawl's WACZ file in the eyes of py-wacz and pywb, which it installs in build/
	@[ -x $(WACZ_FOLDER)/bin/pip ] || python3 -m venv $(WACZ_FOLDER)
	@$(WACZ_FOLDER)/bin/pip install -q --disable-pip-version-check 'setuptools<81' $(WACZ_JUDGES)
	@$(PYTHON) -m tools.check_wacz $(WACZ_FOLDER)

clean: ## remove .venv and what the tools left behind; a crawl's data stays
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
