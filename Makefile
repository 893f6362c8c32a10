# make demo: install, train, evaluate and explain a network on data that needs no download.  make test: the tests.
SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
# The first Python that TensorFlow has wheels for; PYTHON=… overrides.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
TESTS ?= tests
WORKERS ?= 2

.PHONY: demo test check format recipes-check benchmarks clean

demo: $(VENV)/.installed
	@echo; echo '== 1 of 3: dlspec train recipes/classification/digits_lenet5.yaml'
	@$(BIN)/dlspec train recipes/classification/digits_lenet5.yaml --out runs
	@echo; echo '== 2 of 3: dlspec evaluate last'
	@$(BIN)/dlspec evaluate last --runs runs
	@echo; echo '== 3 of 3: dlspec error-analysis last'
	@$(BIN)/dlspec error-analysis last --runs runs
	@echo; echo 'That was LeNet-5 on scikit-learn'"'"'s digits. Your own data next: see README.md, "From your own data".'

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(TESTS) -m 'not slow' --ignore=tests/benchmarks -n $(WORKERS) --dist worksteal

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check dlspec tests
	$(BIN)/ruff check dlspec tests
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff format dlspec tests
	$(BIN)/ruff check --fix dlspec tests

# Trains every shipped recipe whose data is there and holds it to its header; remembers what has passed.
recipes-check: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/recipes_check.py -m slow

benchmarks: $(VENV)/.installed-dev
	@ls tests/benchmarks/*.py | sed 's|^|$(BIN)/python |'

$(VENV)/.made:
	@test -n '$(PYTHON)' || { echo 'dlspec needs Python 3.11 to 3.13; none was found. Say make PYTHON=/path/to/python3.12' >&2; exit 1; }
	@echo 'making a virtual environment in $(VENV) with $(PYTHON)'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml constraints.txt
	@echo 'installing dlspec and what it stands on (about 1 GB, once; TensorFlow is most of it)'
	@$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.made pyproject.toml constraints.txt
	@echo 'installing dlspec with what its tests need (about 1 GB, once; TensorFlow is most of it)'
	@$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache .recipes-check
