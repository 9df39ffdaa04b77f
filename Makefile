# The commands of Tutordesk. Each sets up what it needs, says what it does, and is quick the second time.
PYTHON ?= python3
VENV := .venv/bin
CLIENT := api/tutordesk/web/index.html
WEB_SOURCES := $(shell find web/src web/public -type f 2>/dev/null) web/index.html web/vite.config.ts web/package-lock.json
CHROMIUM ?= $(or $(wildcard /usr/bin/chromium),$(shell command -v chromium 2>/dev/null))
PROGRAMS := redis-server nginx docker-compose curl openssl
MISSING := $(if $(CHROMIUM),,chromium fonts-dejavu-core) \
  $(foreach program,$(PROGRAMS),$(if $(shell PATH="$$PATH:/usr/sbin" command -v $(program) 2>/dev/null),,$(program)))
MONGOSH := api/testing/deploy/node_modules/.stamp

.PHONY: help setup run check test lint bench tools
.DEFAULT_GOAL := help

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: .venv/run.stamp $(CLIENT) ## Install what the server needs and build the client

run: setup ## Start Tutordesk on http://127.0.0.1:8000
	@exec $(VENV)/tutordesk serve

check: lint ## Lint, and run the fast tests of server and client: within a minute
	@echo "== Fast tests: server, client"
	@$(VENV)/pytest -m fast -n 2 --dist worksteal & server=$$!; (cd web && npm test --silent); client=$$?; wait $$server && exit $$client

test: .venv/dev.stamp $(CLIENT) tools $(MONGOSH) ## Run every test: server, client, browser
	@echo "== Server tests"
	@$(VENV)/pytest -m "not alone" -n 4 --dist worksteal --durations=10
	@$(VENV)/pytest -m alone
	@echo "== Client tests"
	@cd web && npm test --silent
	@echo "== Sizes of the client"
	@cd web && npm run --silent size
	@echo "== Browser tests"
	@cd web && CHROMIUM="$(or $(CHROMIUM),/usr/bin/chromium)" npm run --silent e2e

lint: .venv/dev.stamp web/node_modules/.stamp ## Check style, types, layers and generated files
	@echo "== Server: style, types, layers"
	@$(VENV)/ruff check api && $(VENV)/ruff format --check -q api && $(VENV)/mypy && $(VENV)/lint-imports --no-logo
	@echo "== Client: style, types, generated API types, lock file"
	@cd web && npm run --silent lint && npm run --silent typecheck && npm run --silent gen-api -- --check

bench: .venv/dev.stamp $(CLIENT) tools ## Measure the figures of docs/figures.md and write them there
	@missed=0; \
	(cd api && CHROMIUM="$(or $(CHROMIUM),/usr/bin/chromium)" ../$(VENV)/python -m benchmarks) || missed=1; \
	echo "== 20,000 made-up calls"; FUZZ_CALLS=20000 $(VENV)/pytest api/tests/test_fuzz.py || missed=1; \
	echo "== 10,000 calls against the rights of rooms"; RIGHTS_CALLS=10000 $(VENV)/pytest api/tests/rooms/test_rooms.py -k test_nobody_can_do || missed=1; \
	exit $$missed

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Tutordesk needs Python 3.11 or newer; this is %s. Set PYTHON=…" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "== Making the Python environment in .venv"
	@$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.lock pyproject.toml | .venv/bin/python
	@echo "== Installing the server"
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp
	@echo "== Installing what tests and checks need"
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

web/node_modules/.stamp: web/package-lock.json
	@node -e 'const [a,b]=process.versions.node.split(".").map(Number); if (a<20||(a===20&&b<19)) {console.error("Tutordesk needs Node 20.19 or newer; this is "+process.version); process.exit(1)}'
	@echo "== Installing the client's libraries"
	@cd web && npm ci --silent --no-audit --no-fund
	@touch $@

$(CLIENT): web/node_modules/.stamp $(WEB_SOURCES)
	@echo "== Building the client"
	@cd web && npm run --silent build -- --logLevel warn
	@touch $@

$(MONGOSH): api/testing/deploy/package-lock.json
	@echo "== Installing mongosh for the tests"
	@cd api/testing/deploy && npm ci --silent
	@touch $@

# A policy keeps the packages from starting nginx and Redis as services.
tools:
ifneq ($(strip $(MISSING)),)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "== Installing for the tests: $(strip $(MISSING))"; \
	  policy=/usr/sbin/policy-rc.d; \
	  if [ ! -e $$policy ]; then trap 'rm -f /usr/sbin/policy-rc.d' EXIT; printf '#!/bin/sh\nexit 101\n' >$$policy; chmod +x $$policy; fi; \
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $(MISSING) >/dev/null; \
	else \
	  echo "The tests need what is missing here (on Debian: apt install $(strip $(MISSING))); CHROMIUM may be set to its path." >&2; exit 1; \
	fi
endif
