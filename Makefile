# One environment in .venv, one recipe for each thing. `make help` lists them; each works first on a clean clone.
#
# .venv/.NAME is a stamp: "the extra NAME is installed as pyproject.toml and requirements.txt say". It is older than
# either file when they change, so pip runs then and only then. Byte code is made at once, for the package too: where
# PYTHONDONTWRITEBYTECODE is set, every start would have to compile everything again.

PYTHON ?= python3
WORKERS ?= 2
PYTEST_ARGS ?=
FUZZ_ARGS ?=
BENCH_ARGS ?=

BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--constraint requirements.txt --editable
export MPLBACKEND := Agg

.DELETE_ON_ERROR:
.PHONY: help demo test test-slow fuzz fuzz-kernels lint format bench bench-kernel bench-methods docs lab pictures requirements clean
.DEFAULT_GOAL := help

help: ## list what make can do
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

# ---------------------------------------------------------------------------------------------------------- environment

.venv/.made:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("descend needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; name another one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/.core: pyproject.toml requirements.txt | .venv/.made
	@echo "Installing descend into .venv (the first time takes a minute)"
	$(INSTALL) .
	@$(BIN)/python -m compileall -q src
	@touch $@

.venv/.%: pyproject.toml requirements.txt | .venv/.made
	@echo "Installing descend and its extra '$*' into .venv (the first time takes a minute)"
	$(INSTALL) ".[$*]"
	@$(BIN)/python -m compileall -q src
	@touch .venv/.core $@

# PyTorch is no part of the extra `bench`: its usual build comes with gigabytes of GPU libraries. The build for
# processors only is taken where pip finds it; elsewhere the benchmark says that PyTorch was left out.
.venv/.torch: pyproject.toml requirements.txt | .venv/.bench
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt torch==2.13.0+cpu \
		2>/dev/null || echo "pip finds no torch==2.13.0+cpu; a PyTorch that is installed by hand is used"
	@touch $@

# --------------------------------------------------------------------------------------------------------------- for users

demo: .venv/.core ## minimise x^2 step by step, then fit a line to real data
	$(BIN)/descend gradient-descent "x^2" --start 3 --learning-rate 0.1
	$(BIN)/descend steps "x^2" --start 3 --learning-rate 0.1 --count 3
	$(BIN)/descend fit "y = b0 + b1*x" src/descend/examples/norris.csv

lab: ## the interactive lab (not in this version)
	@echo "The lab comes in a later version of descend; until then, watch a descent with: make demo" >&2
	@exit 1

# ---------------------------------------------------------------------------------------------------------- for developers

test: .venv/.test ## run the tests; PYTEST_ARGS="-k norris" chooses, WORKERS=0 runs in one process
	$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_ARGS)

test-slow: .venv/.test ## run the long tests that make test leaves out
	$(BIN)/python -m pytest -n $(WORKERS) -m slow $(PYTEST_ARGS)

fuzz: .venv/.test ## read 200,000 hostile texts; FUZZ_ARGS="--count 1000 --seed 5" chooses
	$(BIN)/python -m tests.fuzz.run $(FUZZ_ARGS)

fuzz-kernels: .venv/.test ## put 20,000 random formulas through every kernel; FUZZ_ARGS as above
	$(BIN)/python -m tests.fuzz.kernels $(FUZZ_ARGS)

lint: .venv/.test ## style, types, the order of the rooms, the rules of the repository
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q tests/contracts/test_repository.py

format: .venv/.test ## let ruff write the style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.bench ## measure descend beside its peers
	$(BIN)/python -m benchmarks

bench-kernel: .venv/.bench .venv/.torch ## measure the kernel beside its peers, four to seven minutes; BENCH_ARGS="--only logistic" chooses
	$(BIN)/python -m benchmarks kernel $(BENCH_ARGS)

bench-methods: .venv/.bench .venv/.test ## judge the methods beside their peers, some twenty minutes; BENCH_ARGS="--only traps" chooses
	$(BIN)/python -m benchmarks methods $(BENCH_ARGS)

docs: .venv/.docs ## build the documentation into build/docs
	$(BIN)/python -m mkdocs build --strict

pictures: .venv/.plot ## draw the pictures of README and docs again
	$(BIN)/python docs/pictures.py

requirements: .venv/.made ## pin the newest versions that pyproject.toml allows
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --system-certs --upgrade --universal --prerelease disallow --no-header --no-annotate --all-extras \
		pyproject.toml --output-file requirements.txt

clean: ## remove everything that make has made
	rm -rf .venv build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
