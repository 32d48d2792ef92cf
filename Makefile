# Two commands for a newcomer: make demo, make test. Both create .venv and install into it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS ?= 2

.PHONY: demo test lowest lint types docs bench hardening constraints hashes hashed clean help

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(VENV)/train: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing georl, with torch, transformers and trl, into $(VENV) ..."
	@$(PIP) install -c constraints.txt torch==2.13.0
	@$(PIP) install -c constraints.txt -e ".[train]"
	@touch $@

$(VENV)/dev: $(VENV)/train
	@echo "installing the development tools into $(VENV) ..."
	@$(PIP) install -c constraints.txt -e ".[dev]"
	@touch $@

demo: $(VENV)/train ## label real places, score, build a lake, train a small model
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: $(VENV)/dev ## run every test and doctest
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

# what needs torch is left out
lowest: $(VENV)/dev ## run geodata's tests against the lowest versions that it declares
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(VENV)/lowest
	$(BIN)/uv pip install --quiet --python $(VENV)/lowest --resolution lowest-direct \
		-e ".[boundaries,report,test]"
	$(VENV)/lowest/bin/python -m pytest -n $(WORKERS) -m "not slow" -p no:cacheprovider \
		-W ignore::DeprecationWarning -W ignore::FutureWarning --ignore tests/georl \
		--ignore tests/benchmarks --ignore tests/test_mistakes.py --ignore tests/test_papers.py \
		--ignore tests/test_site.py --ignore tests/test_errors.py \
		--ignore tests/test_accessibility.py \
		--deselect tests/test_package.py tests geodata

lint: $(VENV)/dev ## ruff and the import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(VENV)/dev ## mypy, strict
	$(BIN)/mypy

docs: $(VENV)/dev ## build the documentation site, warnings are errors
	@rm -rf docs/_build docs/reference/generated # no page of an earlier build stays
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	$(BIN)/python docs/check_links.py docs/_build/html
	$(BIN)/python docs/check_access.py docs/_build/html
	@echo "open docs/_build/html/index.html"

bench: $(VENV)/dev ## print the benchmarks beside their peers
	$(BIN)/python benchmarks/label.py

hardening: $(VENV)/dev ## R1-R18 at full figures, under an hour on two cores; ROWS=R6,R13 for some
	$(BIN)/python benchmarks/hardening.py $(if $(ROWS),--only $(ROWS))

constraints: $(VENV)/dev ## write the installed versions to constraints.txt
	@{ head -1 constraints.txt; $(BIN)/pip freeze --exclude-editable --exclude pip --exclude setuptools | sed 's/+cpu//'; } > constraints.tmp
	@mv constraints.tmp constraints.txt

# torch is apart: its builds differ by platform, and so do the libraries that each of them needs
hashes: $(VENV)/dev ## write the SHA-256 of what constraints.txt pins to constraints.hashes.txt
	@{ head -2 constraints.hashes.txt; $(BIN)/uv pip compile --quiet --no-deps --generate-hashes \
		--no-header --no-annotate --no-emit-package torch constraints.txt; } > constraints.tmp
	@mv constraints.tmp constraints.hashes.txt

hashed: ## install into .venv only what has the SHA-256 of constraints.hashes.txt, torch apart
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install torch==2.13.0
	@$(PIP) install --require-hashes --no-deps -r constraints.hashes.txt
	@$(PIP) install --no-deps --no-build-isolation -e .

clean: ## remove the environment and what was built
	rm -rf $(VENV) build dist docs/_build
