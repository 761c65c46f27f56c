# `make` runs the benchmark, `make quick` the quick tests, `make test` all of them; each builds
# .venv first where it is missing.
PYTHON ?= python3
CORES ?= 8
UV_VERSION := 0.13.9
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/.venv

.PHONY: all quick test lint lock
all: .venv
	@lssat run --cores $(CORES)

# The lock is installed with uv and without resolving anything: facenet-pytorch's old pins are
# overridden in pyproject.toml, which pip cannot do.
.venv: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 14), "lssat needs Python 3.11-3.13"'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --no-deps --require-hashes --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch .venv

lint: .venv
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint
	mypy

# What most edits need, in a few minutes: no workflow, no browser, nothing slow.
quick: .venv
	pytest -n 2 -m "not slow and not browser" --ignore tests/workflow

# Two tests at a time: the workflow's, which take the longest, and the others.
test: lint
	pytest -n 2

# Renew the lock after an edit of pyproject.toml: hashes for every Python, no addresses.
lock:
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --no-header --upgrade \
		--quiet --output-file requirements.lock
