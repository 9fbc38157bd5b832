# What a newcomer does first: `make demo`. `make help` lists the rest.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-slow _tests _types check _quickly format bench lock package packages

BIN := .venv/bin
UV := .cache/uv/bin/uv
COMPILE := $(UV) pip compile -q --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header
ARGS ?=
# The tests start hundreds of programs: each would compile every module anew where nothing may be kept.
export PYTHONDONTWRITEBYTECODE :=

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

demo: ## a whole district on this machine until Ctrl-C (ARGS=--once: one cycle, then stop)
	@tools/environment run
	@$(BIN)/python -m bench.demo $(ARGS)

test: _quickly ## everything: lint, contracts, then types and the tests (ARGS goes to pytest)
	@mkdir -p .cache && tools/peers
	@$(MAKE) --no-print-directory -j 2 _types _tests

_tests:
	@$(BIN)/python -m pytest -q -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

test-slow: check ## the tests that boot a machine, play a week or take Wine long (ARGS goes to pytest)
	@mkdir -p .cache && tools/peers tests/peers-slow.txt
	@$(BIN)/python -m pytest -q -m slow $(ARGS)

check: _quickly _types ## lint, formatting, types and import contracts: seconds

_quickly:
	@tools/environment dev
	@$(BIN)/ruff check -q
	@$(BIN)/ruff format -q --check || { echo "make format mends this"; exit 1; }
	@$(BIN)/lint-imports --no-logo

_types:
	@$(BIN)/mypy

format: ## rewrite the Python files in the project's format
	@tools/environment dev
	@$(BIN)/ruff check -q --fix-only
	@$(BIN)/ruff format

bench: ## speed and size on this machine, with the disk's commits/s beside them
	@tools/environment dev
	@$(BIN)/python -m bench $(ARGS)

lock: ## write the locks anew (ARGS=--upgrade takes newer releases)
	@tools/environment dev
	@$(COMPILE) --all-extras $(ARGS) pyproject.toml -o requirements.lock
	@$(COMPILE) --all-extras --group dev -c requirements.lock --override tools/dev-overrides.in $(ARGS) \
		pyproject.toml -o requirements-dev.lock
	@$(COMPILE) --python-version 3.11 $(ARGS) tools/uv.in -o tools/uv.lock
	@$(COMPILE) --python-version 3.11 $(ARGS) tools/build.in -o tools/build.lock

package: ## the wheel, into dist/
	@tools/environment dev
	@$(UV) build -q --wheel --out-dir dist --build-constraints tools/build.lock --require-hashes
	@ls dist/*.whl

packages: ## the wheel, agent and collector as .deb and .msi, and the start-up script, into dist/
	@$(MAKE) --no-print-directory package
	@$(BIN)/python -m packages $(ARGS)
