# Two commands on a fresh machine (Debian or Ubuntu with Python 3.11 or newer, git and make):
#
#   make demo    a real small study through all eight stages, to a compiled paper    (make demo SEED=3: other data)
#   make test    the test suite
#
# Both set up .venv first, from hash-locked requirements, and only when those have changed.
SEED ?= 7
GOAL := Does a linear learning-rate warm-up help a small network under a fixed budget of steps?
TEX_PACKAGES := latexmk texlive-latex-base texlive-latex-recommended texlive-fonts-recommended poppler-utils
TEX_FILES := article.cls natbib.sty booktabs.sty caption.sty microtype.sty plainnat.bst ptmr8t.tfm
BIN := .venv/bin
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
       --no-header --no-emit-index-url --no-emit-find-links --upgrade

# What a person's shell is set to must not reach into .venv.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DEFAULT_GOAL := help

.PHONY: help
help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

# --- setting up -------------------------------------------------------------------------------------------------------

.PHONY: setup
setup: .venv/dev.stamp tex  ## .venv and TeX, for working on Flagstone

.venv/bin/pip:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; \
	  python=; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Flagstone needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3" >&2; exit 2; fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	  $(call install,python3-venv,to set up .venv); fi; \
	echo "setting up .venv" && $$python -m venv --clear .venv

.venv/runtime.stamp: requirements/build.txt requirements/runtime.txt pyproject.toml | .venv/bin/pip
	@$(call sync,runtime)

.venv/dev.stamp: requirements/dev.txt .venv/runtime.stamp
	@$(call sync,dev)

# $(call sync,NAME): what requirements/NAME.txt locks, then Flagstone itself from here, then its byte code (an environment
# that sets PYTHONDONTWRITEBYTECODE would otherwise compile every module at every start). What is only to be had as a
# source is built with the setuptools that requirements/build.txt locks, not with one fetched on the way.
PIP := PIP_USE_PEP517=1 $(BIN)/python -m pip install --quiet --disable-pip-version-check
define sync
echo "installing requirements/$(1).txt" && \
$(PIP) --require-hashes -r requirements/build.txt && \
$(PIP) --require-hashes --no-build-isolation -r requirements/$(1).txt && \
$(PIP) --no-build-isolation --no-deps -e . && \
$(BIN)/python -m compileall -q src && \
touch $@
endef

# $(call install,PACKAGES,WHY): Debian packages where we may, else one line that says what to install.
define install
if ! command -v apt-get >/dev/null; then sudo=none; \
elif [ "$$(id -u)" = 0 ]; then sudo=; \
elif sudo -n true 2>/dev/null; then sudo="sudo -n"; \
else sudo=none; fi; \
if [ "$$sudo" = none ]; then echo "$(2), please install: $(1)" >&2; exit 2; fi; \
echo "$(2), installing: $(1)"; \
$$sudo apt-get update -qq && \
$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1) >/dev/null || exit 2
endef

.PHONY: tex
tex:
	@if ! command -v tectonic >/dev/null; then \
	  if ! { command -v latexmk && kpsewhich $(TEX_FILES); } >/dev/null 2>&1; then \
	    $(call install,$(TEX_PACKAGES),to compile papers); fi; fi

.PHONY: lock
lock: .venv/dev.stamp  ## renew requirements/*.txt from pyproject.toml
	$(LOCK) --group build --output-file requirements/build.txt
	$(LOCK) pyproject.toml --constraints requirements/build.txt --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --group dev --constraints requirements/runtime.txt --output-file requirements/dev.txt

# --- using ------------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: .venv/runtime.stamp tex  ## a real small study, from its goal to a compiled paper
	@name=demo; number=1; \
	while [ -e "runs/$$name" ]; do number=$$((number + 1)); name=demo-$$number; done; \
	$(BIN)/flagstone new "$$name" --agent demo --goal "$(GOAL)" --set demo.data_seed=$(SEED) && \
	$(BIN)/flagstone run "$$name" --yes && \
	$(call report,$$name) && \
	echo "paper   $(CURDIR)/runs/$$name/workspace/artifacts/paper.pdf" && \
	echo "report  $(CURDIR)/runs/$$name/report.html"

define report
{ $(BIN)/snakemake --quiet all --cores 1 --config run="$(1)" --report "$(CURDIR)/runs/$(1)/report.html" \
  > "runs/$(1)/logs/report.log" 2>&1 || { cat "runs/$(1)/logs/report.log" >&2; exit 3; }; }
endef

.PHONY: clean
clean:  ## remove what make built; runs/ stays
	rm -rf .venv build dist src/flagstone.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .snakemake
	find src tests workflow benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# --- working on Flagstone ---------------------------------------------------------------------------------------------

TESTS ?= -n 2

.PHONY: test
test: .venv/dev.stamp tex  ## the test suite
	$(BIN)/python -m pytest $(TESTS)

.PHONY: sandbox
sandbox:  ## bubblewrap, which holds agents beside the kernel's Landlock
	@command -v bwrap >/dev/null || { $(call install,bubblewrap,to hold agents inside their grant); }

# `CI` set: nothing may be left out. Otherwise, without npm, every test says that it was skipped.
.PHONY: test-claude
test-claude: .venv/dev.stamp  ## the real, pinned Claude Code against a Messages API of our own
	$(BIN)/python tests/claude/install.py
	$(BIN)/python -m pytest tests/claude -m claude -n 2 -rs

# `CI` set: nothing may be left out. Otherwise, where no cluster can be started, every test says that it was skipped.
.PHONY: test-slurm
test-slurm: .venv/dev.stamp  ## experiments on a real SLURM, started on this machine
	$(BIN)/python -m pytest tests/workflow -m slurm -rs

CHECKS := check-lint check-format check-types check-imports check-rules-format check-rules check-docs

.PHONY: check $(CHECKS)
check: .venv/dev.stamp  ## every check but the tests; all run, even when one fails
	@$(MAKE) --no-print-directory --keep-going $(CHECKS)

check-lint:
	$(BIN)/ruff check
check-format:
	$(BIN)/ruff format --check
check-types:
	$(BIN)/mypy
check-imports:
	$(BIN)/lint-imports
check-rules-format:
	$(BIN)/snakefmt --check Snakefile workflow
check-rules:
	$(BIN)/snakemake --lint
check-docs:
	$(BIN)/python docs/generate.py --check

.PHONY: docs
docs: .venv/dev.stamp  ## the reference and the pictures, from schemas, code and --help
	$(BIN)/python docs/generate.py

.PHONY: bench
bench: .venv/dev.stamp  ## every figure we publish, measured here
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done
