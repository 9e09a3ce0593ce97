PYTHON ?= python3
IN := .venv/bin
BOOTSTRAP = $(PYTHON) hub/stack/bootstrap.py

# Settings of an installation behind a proxy; the command that uses them needs no server.
AS_DEPLOYED = HUB_PUBLIC_URL=https://hub.example.org HUB_TRUSTED_PROXIES=127.0.0.1 \
	HUB_SECRET_KEY=0123456789abcdefghijklmnopqrstuvwxyz-only-for-this-check-0123456789

# A hub is many processes: each would compile the whole house again, which takes longer than all else at its start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help up dev test matrix check bench words lock clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/ -/'

up:  ## Start the whole hub; Ctrl-C stops it
	@$(BOOTSTRAP)
	@exec $(IN)/python manage.py up --with-parent

dev:  ## Make the environment for tests and checks
	@$(BOOTSTRAP) --dev

test: dev  ## Run the tests against real servers
	@$(IN)/python -m pytest -n auto --maxprocesses=4 --dist loadfile

matrix: dev  ## Run all journeys both ways, with every supported release of the client, and large uploads in a browser
	@$(IN)/python -m pytest -m "matrix or not matrix" tests/journeys tests/stack tests/pages/test_upload.py tests/pages/test_everyone.py \
		tests/workers/formats/test_scale.py tests/workers/kernel/test_build.py

check: dev  ## Check style, types, imports, templates, migrations and deployment settings
	$(IN)/ruff check .
	$(IN)/ruff format --check .
	$(IN)/mypy
	$(IN)/lint-imports
	$(IN)/djlint templates --lint --quiet
	$(IN)/python -m tests.with_servers $(IN)/python manage.py makemigrations --check --dry-run
	$(AS_DEPLOYED) $(IN)/python manage.py check --deploy --fail-level WARNING

bench: dev  ## Measure speed and memory
	@$(IN)/python -m tests.bench

words: dev  ## Bring translations up to date with the texts of pages, and say what lacks one
	@$(IN)/python -m tests.words

lock: dev  ## Write the lock files anew from pyproject.toml
	@$(IN)/uv pip compile pyproject.toml -o requirements.lock $(LOCK_OPTIONS)
	@$(IN)/uv pip compile pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock $(LOCK_OPTIONS)
	@$(IN)/uv pip compile --group compiler -o requirements-compiler.lock $(LOCK_OPTIONS)

clean:  ## Remove the environment and caches; the data in var/ stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# Names, versions and hashes only, for every platform: no index address, no comments.
LOCK_OPTIONS = --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url \
	--no-emit-find-links --upgrade
