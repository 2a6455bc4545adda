# Everything a person or a script runs. Needs Python 3.11 or newer and make; brings the rest itself.

MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test check bench chaos requirements restore-drill receipt-drill shell format lock clean install install-dev

PORT ?= 8000
TENURE_DATA ?= .tenure
export PORT TENURE_DATA

# The machine's python3 if it is new enough, else the newest that is.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PY := .venv/bin/python
PIP := $(PY) -m pip install -qq --disable-pip-version-check --no-input --require-hashes --no-deps
# Tests have servers and data of their own, whatever the environment or a running `make run` uses.
TEST_ENV := env -u DATABASE_URL -u REDIS_URL -u SECRET_KEY -u MAIL_URL -u MEDIA_ROOT -u DEBUG -u HTTPS \
	-u BASE_DOMAIN TENURE_DATA=$(TENURE_DATA)/test
WITH_SERVERS := $(TEST_ENV) $(PY) -m config.stack --with-parent exec --fast --

help:
	@echo "make run            start everything: http://<tenant>.localhost:$(PORT)/ (PORT, TENURE_DATA)"
	@echo "make test           the whole suite, browser tests included"
	@echo "make check          lint, format, types, import contracts, migrations, templates, deployment, OpenAPI"
	@echo "make bench          benchmarks against limits measured in the same run"
	@echo "make chaos          kill processes and look for lost or doubled work"
	@echo "make requirements   which rows of docs/requirements.json a passing test proves"
	@echo "make restore-drill  dump, drop and restore one tenant (TENANT=<slug>)"
	@echo "make receipt-drill  change every receipt of a tenant byte by byte (TENANT=<slug>, ARGS=--whole 3)"
	@echo "make shell          Django's shell beside the running stack"
	@echo "make format         format the code          make lock   pin requirements/*.in again"
	@echo "make clean          remove .venv and caches; the data in $(TENURE_DATA) stays"

run: install
	@$(PY) -m config.stack.packages queue pdf || echo "Going on without them."
	@exec $(PY) -m config.stack --with-parent up

# By number of tests the longest file, the authorisation matrix, would come last and keep one process busy alone.
test: install-dev
	@$(PY) -m config.stack.packages queue pdf browser
	@exec $(WITH_SERVERS) $(PY) -m pytest -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(ARGS)

check: install-dev
	@exec $(WITH_SERVERS) $(PY) -m tests.check

bench: install-dev
	@exec $(WITH_SERVERS) $(PY) -m benchmarks $(ARGS)

chaos: install-dev
	@exec $(WITH_SERVERS) $(PY) -m pytest tests/chaos --chaos $(ARGS)

requirements: install-dev
	@exec $(WITH_SERVERS) $(PY) -m tests.requirements

restore-drill: install
	@exec $(PY) -m config.stack --with-parent exec -- $(PY) manage.py restore_drill $(TENANT)

receipt-drill: install
	@exec $(PY) -m config.stack --with-parent exec -- $(PY) manage.py receipt_drill $(TENANT) $(ARGS)

shell: install
	@exec $(PY) -m config.stack --with-parent exec -- $(PY) manage.py shell

format: install-dev
	@$(PY) -m ruff check --fix --quiet . ; $(PY) -m ruff format --quiet .
	@git ls-files 'templates/*.html' | xargs -r .venv/bin/djade --target-version 5.2

install: .venv/runtime.stamp

install-dev: .venv/dev.stamp

.venv/bin/pip:
	@test -n "$(PYTHON)" || { echo "Tenure needs Python 3.11 or newer; none was found. Install it, or name it: make run PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing python3-venv with apt …"; \
			apt-get update -qq >/dev/null; \
			DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv >/dev/null; \
		else echo "Python's venv module is missing. Run: sudo apt-get install python3-venv"; exit 1; fi; }
	@$(PYTHON) -m venv .venv

.venv/runtime.stamp: requirements/runtime.txt | .venv/bin/pip
	@echo "Installing Python packages (once) …"
	@$(PIP) -r requirements/runtime.txt
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/runtime.stamp
	@echo "Installing development packages (once) …"
	@$(PIP) -r requirements/dev.txt
	@touch $@

lock:
	for name in runtime dev; do uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--quiet --universal requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis static_root
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
