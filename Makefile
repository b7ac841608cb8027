# `make run` serves the site, `make test` tests it; both need python3 (3.11 or later) and install the rest in .venv.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test test-all test-postgres lint lock bench secret

help:
	@echo "make run            serve the site on http://127.0.0.1:8000/ (configure with PORT, HOST, DATABASE_URL or .env)"
	@echo "make test           run the tests in three minutes (ARGS='-k search' runs some of them)"
	@echo "make test-all       run the long tests, then all tests on a private PostgreSQL server"
	@echo "make test-postgres  run all tests on a private PostgreSQL server (ARGS='-k search' runs some of them)"
	@echo "make bench          compare the speed of the site with a static file and, with PEER=script, with Wagtail"
	@echo "                    (needs wrk); with WORDS=file also pick from a million quotations made of its words"
	@echo "make lint           check style, templates and types"
	@echo "make lock           write the latest library versions to requirements.txt and requirements-dev.txt"

run: .venv/run.stamp secret
	@exec $(BIN)/python manage.py serve

# A process of tests for each core; one that has done its part takes over tests of another.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist worksteal

test: .venv/test.stamp
	@$(PYTEST) --full no $(ARGS)

test-all: .venv/test.stamp
	@$(PYTEST) --full only $(ARGS)
	@.ci/postgres $(PYTEST) $(ARGS)

test-postgres: .venv/test.stamp
	@.ci/postgres $(PYTEST) $(ARGS)

lint: .venv/test.stamp secret
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djade --check --target-version 5.2 $$(find templates -name '*.html')
	$(BIN)/mypy .

LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' pyproject.toml

lock: .venv/run.stamp
	@$(INSTALL) uv
	@$(LOCK) --output-file requirements.txt
	@$(LOCK) --group dev --output-file requirements-dev.txt

PEER ?= ../shared/bench/peer_wagtail.py
WORDS ?= ../shared/data/quotes-bartlett.jsonl

bench: .venv/run.stamp secret
	@$(BIN)/python benchmarks/answers.py
	@PEER=$(PEER) $(BIN)/python benchmarks/pages.py $(ARGS)
	@if [ -e $(WORDS) ]; then $(BIN)/python benchmarks/picks.py $(WORDS); \
	  else echo "Skipping the benchmark of picks: $(WORDS) does not exist."; fi

# Only this account may read .env.
secret: .venv/run.stamp
	@test -n "$$SECRET_KEY" || grep -qsE '^[^#]*SECRET_KEY=' .env || \
	  (umask 077 && $(BIN)/python -c 'import secrets; print("SECRET_KEY=" + secrets.token_urlsafe(50))' >> .env)

# Ctrl-C, which Python and pip answer with an error of their own, is no reason to begin again.
RESUMABLY = trap 'echo "Interrupted. Run make $(MAKECMDGOALS) again to continue." >&2; exit 130' INT;
MAKE_VENV = $(RESUMABLY) said=$$($(PYTHON) -m venv --clear .venv 2>&1) || { echo "$$said" >&2; exit 1; }
INSTALL = $(RESUMABLY) $(BIN)/python -m pip install -qq --disable-pip-version-check

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "rlm_site: needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Choose another with PYTHON=python3.12 make run.")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "rlm_site: this Python has no venv module (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@echo "Creating the Python environment .venv ..."
	@$(MAKE_VENV)

.venv/run.stamp: requirements.txt .venv/bin/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { $(MAKE_VENV); } # made by half
	@echo "Installing the libraries of the site in .venv ..."
	@$(INSTALL) -r requirements.txt
	@touch $@

.venv/test.stamp: requirements-dev.txt .venv/run.stamp
	@echo "Installing the libraries of the tests in .venv ..."
	@$(INSTALL) -r requirements-dev.txt
	@touch $@
