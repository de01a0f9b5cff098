PYTHON ?= python3
BIN := .venv/bin
QUICK := tests/core tests/check tests/certificate tests/layers tests/docs tests/spec tests/data \
	$(addprefix --ignore tests/check/test_check_,forgeries.py alone.py confined.py specs.py rules.py)

.PHONY: audit test quick setup clean

audit: setup
	$(BIN)/certaudit audit specs/ridge-diabetes.yaml

test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

quick: setup
	$(BIN)/ruff check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(QUICK)

setup: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

clean:
	rm -rf .venv out
