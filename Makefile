# make demo and make test need Python 3.11+ and nothing else; the first call sets up .venv/.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo serve test test-slow check bench constraints clean

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Tandem needs Python 3.11 or newer.") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch .venv/ready

demo: setup
	$(BIN)/tandem demo

serve: setup
	$(BIN)/tandem serve

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup
	$(BIN)/pytest -q -n 2 --dist loadfile

test-slow: setup
	$(BIN)/pytest -q -m slow

bench: setup
	$(BIN)/python -m tests.benchmarks
	$(BIN)/python -m tests.benchmarks.corpus
	$(BIN)/python -m tests.benchmarks.estimate
	$(BIN)/python -m tests.benchmarks.kills
	$(BIN)/python -m tests.benchmarks.null
	$(BIN)/python -m tests.benchmarks.answering
	$(BIN)/python -m tests.benchmarks.chat
	$(BIN)/python -m tests.benchmarks.exports
	$(BIN)/python -m tests.benchmarks.visitors
	$(BIN)/python -m tests.benchmarks.tuning

# Pin again after pyproject.toml changed: whatever a fresh environment resolves to.
constraints:
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' > constraints.txt

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache
