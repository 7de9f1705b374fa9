BIN := .venv/bin

# An empty HOME would send caches to /; unset, every tool asks the system who the user is.
ifeq ($(strip $(HOME)),)
unexport HOME
endif

.PHONY: help demo test check unit coverage quick lint types secrets format bench docs lock clean venv

help: ## this list
	@awk -F ': .*## ' '/^[a-z ]+: .*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: venv ## the main job, from catalogue to served image, with a summary
	@$(BIN)/packshot demo

check: lint types ## what is checked before a merge: lint, types and all tests
	$(BIN)/pytest

test: check ## the same as make check

unit: venv ## the unit tests
	$(BIN)/pytest tests/unit

coverage: venv ## all tests, and the lines and branches that none of them runs
	$(BIN)/pytest --cov

quick: venv ## what the changes since the branch main touch: lint, types, and the unit tests that import them
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/dmypy run --timeout 3600
	$(BIN)/python .ci/affected.py | xargs -r $(BIN)/pytest

lint: venv ## format, style, the house's import contracts, and the licences of what is installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pip-licenses > /dev/null

types: venv ## mypy, strict
	$(BIN)/mypy

secrets: venv ## passwords and keys in any file of the repository
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --no-verify --baseline .secrets.baseline

format: venv ## rewrite the code in the project's format, and the documents' tables from the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m flows.stages inputs
	$(BIN)/python -m docs.tables

bench: venv ## measurements against peers
	$(BIN)/python -m bench

docs: venv ## the documentation as a site, in site/
	$(BIN)/python -m docs.tables
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lock: ## resolve pyproject.toml into requirements.lock; what is locked stays (see .ci/lock)
	.ci/lock

clean: ## remove caches (no data, no models, not .venv)
	[ ! -f .dmypy.json ] || $(BIN)/dmypy stop || rm .dmypy.json
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage site
	find bench flows models serving tasks tests -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@.ci/install
