# The two commands of the README: `make` runs the benchmark, `make test` runs the tests.
PYTHON ?= python3
CORES ?= 8
UV_VERSION := 0.13.9
BIN := .venv/bin
# The link of the dvc cache, the MLflow database and all results lie inside the project.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: all test lint lock
all: .venv
	@$(BIN)/python -m lssat run --cores $(CORES)

# A full lock: uv is used because pip cannot install facenet-pytorch beside a current torch.
.venv: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --no-deps --require-hashes --compile-bytecode -r requirements.lock
	VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --no-deps --no-build-isolation -e .
	@touch .venv
