# The two commands: `make run` and `make test`. All set-up is made once and made again when its inputs change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := .tools/bin/uv
BROWSER := src/qinglan/web/browser/index.html
BROWSER_SOURCES := $(shell find browser -type f -not -path '*/node_modules/*' 2>/dev/null)
SHARED ?= $(abspath ../shared)
PYTEST_ARGS ?=
export QINGLAN_SHARED ?= $(SHARED)

.PHONY: run test check lint bench soak bundle lock docs clean

run: $(VENV)/.run $(BROWSER)
	$(BIN)/qinglan demo --home .qinglan/demo $(if $(PORT),--port $(PORT))

test: $(VENV)/.dev $(BROWSER)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/qinglan check

lint: $(VENV)/.dev
	$(BIN)/ruff check src tests benchmarks tools
	$(BIN)/ruff format --check src tests benchmarks tools
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

soak: $(VENV)/.dev $(BROWSER) bundle
	$(BIN)/python -m benchmarks.soak
	QINGLAN_SOAK=1 $(BIN)/python -m pytest -n0 -m soak $(PYTEST_ARGS)

bundle: $(VENV)/.dev $(BROWSER)
	$(BIN)/python tools/bundle.py

docs: $(VENV)/.dev
	$(BIN)/python tools/reference.py

lock: $(UV)
	tools/lock.sh

$(UV):
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .tools uv

$(VENV)/.made: $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements.lock pyproject.toml
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

$(BROWSER): $(BROWSER_SOURCES)
	PYTHON=$(PYTHON) UV=$(UV) tools/build_browser.sh

clean:
	rm -rf $(VENV) .tools src/qinglan/web/browser browser/node_modules
