# Two commands on a fresh machine: `make train` and `make test`. Each sets up .venv first, once.
#   make train ARGS="data=camvid data.root=PATH"
ARGS ?=
# The first interpreter that fits; say PYTHON=... for another one.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python

.PHONY: setup train test test-long lint lock clean

train: setup
	@$(BIN)/python -m src.train model=unet loss=dice $(ARGS)

test: setup
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m "not long" $(ARGS)

# What takes minutes, all of it or one topic: make test-long ARGS=tests/faults/test_kill.py
test-long: setup
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal --timeout 3600 -m long $(ARGS)

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; none was found. Say make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "setting up .venv with $(PYTHON), once"
	@$(PYTHON) -m venv .venv || { echo "python's venv module is missing: install python3-venv (Debian, Ubuntu)"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9,<1"
	@$(UV) --compile-bytecode --require-hashes -r requirements.lock
	@$(UV) --no-deps -e .
	@touch $@

lock: # exact versions with hashes and without addresses, for every platform and Python
	@.venv/bin/uv pip compile --quiet --universal --generate-hashes --no-header --extra dev pyproject.toml -o requirements.lock

clean:
	@rm -rf .venv
