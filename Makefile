BIN := .venv/bin

# An empty HOME would send caches to /; unset, every tool asks the system who the user is.
ifeq ($(strip $(HOME)),)
unexport HOME
endif

.PHONY: help demo test check bench format lock clean venv

help:
	@echo "make demo    the main job, from catalogue to served image, with a summary"
	@echo "make test    format, lint, types and tests (the same as make check)"
	@echo "make bench   measurements against peers"
	@echo "make format  rewrite the code in the project's format"
	@echo "make lock    resolve pyproject.toml anew into requirements.lock"
	@echo "make clean   remove caches (no data, no models, not .venv)"

demo: venv
	@$(BIN)/packshot demo

test: check

check: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pytest

bench: venv
	$(BIN)/python -m bench

format: venv
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: venv
	.ci/lock

clean:
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find bench flows models serving tasks tests -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@.ci/install
