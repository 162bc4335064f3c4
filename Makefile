# Every target sets up what it needs: Python 3.11 or newer, make and a package index are enough to start.
# The first run makes .make/ (a pinned uv) and .venv/ (what uv.lock names); later runs touch no network.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help
# Targets share .venv/, and the tests use the cores themselves: -j changes nothing.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.8
# `make UV=uv test` takes a uv of your own, `make PYTHON=python3.12 test` the interpreter that .venv is made from.
UV ?= .make/uv-$(UV_VERSION)/bin/uv
PYTHON ?=
# Test processes at a time; a file's tests stay in one process.
WORKERS ?= 3
ARGS ?=

# The file behind UV, when it is a path and not a name to look up.
UV_FILE := $(if $(findstring /,$(UV)),$(UV))
BIN := .venv/bin
READY := .make/venv-ready
INSPECTOR := .make/inspector

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# Once, when packages are installed: where PYTHONDONTWRITEBYTECODE is set, every process would compile them anew.
export UV_COMPILE_BYTECODE := 1
export UV_PROJECT_ENVIRONMENT := .venv
# Another activated environment, or a path into another tree, would leak into this one.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

# The first interpreter that runs, is new enough and can make environments: a launcher's empty shim does none of it.
# A .venv that is there keeps its own.
define find_python
found=; \
for each in $(or $(PYTHON),.venv/bin/python python3.13 python3.12 python3.11 python3 python); do \
  if "$$each" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
    found=$$("$$each" -c 'import sys; print(sys.executable)'); break; \
  fi; \
done; \
if [ -z "$$found" ]; then \
  echo "No Python 3.11 or newer with venv and pip was found; name one: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; \
  exit 1; \
fi
endef

.PHONY: help
help: ## Say what can be made
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

.PHONY: install
install: $(READY) ## Make .venv/ with everything that uv.lock names, the command included
	@$(BIN)/talkscope --version

.PHONY: demo
demo: $(READY) ## Fill a throw-away warehouse and answer the first questions from it
	@$(BIN)/talkscope demo $(ARGS)

# Pages are looked at in a real browser. Where none is and none can be had, the tests say so and the others run.
APT := env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=30
.PHONY: browser
browser: ## Have a Chromium for the tests that look at pages: Debian's, where apt is there and may install it
	@for each in chromium chromium-browser google-chrome google-chrome-stable chrome; do \
	  command -v "$$each" >/dev/null 2>&1 && exit 0; \
	done; \
	[ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ] && exit 0; \
	as=; [ "$$(id -u)" = 0 ] || as="sudo -n"; \
	if ! command -v apt-get >/dev/null 2>&1 || ! $$as true >/dev/null 2>&1; then \
	  echo "No Chromium is here and apt may not install one: the tests that need a browser will be skipped"; exit 0; \
	fi; \
	echo "Installing Chromium (the first time only)"; mkdir -p .make; \
	get="$$as $(APT) install -y --no-install-recommends chromium fonts-liberation"; \
	{ $$get || { $$as $(APT) update && $$get; }; } </dev/null >.make/browser.log 2>&1 || \
	  echo "Chromium could not be installed (see .make/browser.log): the tests that need a browser will be skipped"

.PHONY: test
test: $(READY) browser ## Run the tests (ARGS="tests/x.py -k word" narrows them, WORKERS=0 runs them in one process)
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# In this order, so that the cheap ones speak first and the tests' closing line comes last.
.PHONY: check
check: lint types imports check-openapi docs package-check mcp-smoke bench-check test ## Run what CI runs: all checks, docs, package, Inspector, tests

.PHONY: lint
lint: $(READY) ## Check style and formatting
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check .

.PHONY: format
format: $(READY) ## Format the code and mend what can be mended by itself
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

.PHONY: types
types: $(READY) ## Check types, strictly
	@$(BIN)/mypy

.PHONY: imports
imports: $(READY) ## Check who may import whom
	@$(BIN)/lint-imports --no-logo

# What a run of other targets is given in ARGS is not for this one.
.PHONY: check-openapi
check-openapi: $(READY) ## Compare openapi/ with what the code declares (ARGS="--live URL": and with what a service serves)
	@$(BIN)/python -m talkscope.surface --check $(if $(filter $@ contract,$(MAKECMDGOALS)),$(ARGS))

.PHONY: contract
contract: check-openapi

.PHONY: contract-write
contract-write: $(READY) ## Render openapi/ and docs/reference/ anew from the code
	@$(BIN)/python -m talkscope.surface --write
	@$(BIN)/python -m talkscope.cli.reference --write

.PHONY: gallery
gallery: $(READY) ## Draw docs/gallery/ anew: every chart, from generated telemetry
	@$(BIN)/python docs/gallery/build.py

.PHONY: coverage
coverage: $(READY) ## Write docs/coverage.md anew: what platforms document, where it lives here, and its tests
	@$(BIN)/python docs/coverage/build.py

.PHONY: mcp-smoke
mcp-smoke: $(READY) $(INSPECTOR)/ready ## Ask the server through MCP Inspector, in both protocol eras (needs npm)
	@$(BIN)/python -m tests.smoke.run $(INSPECTOR)/node_modules

.PHONY: e2e
e2e: $(READY) ## Put the list of questions to a live service (ARGS="--url URL --delay 6.5 --allow-empty"; its key from the environment)
	@$(BIN)/python -m tests.questions.run $(ARGS)

.PHONY: package-check
package-check: $(READY) ## Build the packages, install the wheel on its own, and use it (ARGS=--newest takes the newest dependencies)
	@$(BIN)/python -m tests.package.check --uv $(UV) $(if $(filter $@,$(MAKECMDGOALS)),$(ARGS))

# Anew each time: a page that is taken from an earlier run would keep its broken links to itself.
.PHONY: docs
docs: $(READY) ## Build the documentation into site/; a warning fails, and a row of coverage without place or test
	@$(BIN)/python docs/coverage/build.py --check
	@rm -rf site
	@$(BIN)/sphinx-build -q -E -W --keep-going -b html -c docs -d .make/doctrees . site

.PHONY: bench-check
bench-check: $(READY) ## Run every benchmark in miniature, and see that it prints its ratio
	@$(BIN)/pytest -q benchmarks

.PHONY: bench
bench: $(READY) ## Run every benchmark, one after the other
	@for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python "$$script" $(ARGS) || exit 1; done

.PHONY: lock
lock: $(UV_FILE) ## Bring uv.lock in line with pyproject.toml (ARGS=--upgrade takes newer versions)
	@$(find_python); $(UV) lock --python "$$found" $(ARGS)

.PHONY: dist
dist: $(UV_FILE) ## Build the wheel and the source archive into dist/
	@rm -rf dist
	@$(find_python); $(UV) build --quiet --python "$$found"
	@ls dist

.PHONY: clean
clean: ## Remove everything that make made, the environment included
	@rm -rf .venv .make dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

.make/uv-$(UV_VERSION)/bin/uv:
	@$(find_python); \
	echo "Setting up with $$found (the first time only)" && \
	rm -rf .make/uv-$(UV_VERSION) && \
	"$$found" -m venv .make/uv-$(UV_VERSION) && \
	.make/uv-$(UV_VERSION)/bin/python -m pip install --quiet --only-binary :all: uv==$(UV_VERSION)

$(READY): pyproject.toml uv.lock | $(UV_FILE)
	@$(find_python); $(UV) sync --quiet --locked --no-build-isolation-package talkscope --python "$$found"
	@mkdir -p $(@D) && touch $@

# Inspector and the Node that it needs, each held to its hash; nothing that the packages bring is run to install them.
$(INSPECTOR)/ready: tests/smoke/package.json tests/smoke/package-lock.json
	@command -v npm >/dev/null 2>&1 || \
	  { echo "MCP Inspector is installed by npm, which was not found; it comes with Node.js: https://nodejs.org" >&2; exit 1; }
	@echo "Setting up MCP Inspector (the first time only)"
	@mkdir -p $(@D) && cp $^ $(@D)
	@cd $(@D) && npm ci --cache "$(CURDIR)/.make/npm" --ignore-scripts --include=optional --engine-strict=false \
	  --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null
	@touch $@
