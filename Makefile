# On a new machine (Debian or Ubuntu with Python 3.11 or newer, git and make) you need two commands:
#
#   make demo    runs a small, real study through all eight stages, to a compiled paper    (make demo SEED=3: other data)
#   make test    runs the tests
#
# Both first set up .venv from hash-locked requirements, and again whenever those change.
SEED ?= 7
GOAL := Which cheap trick helps a small network most when one training label in five is wrong?
TEX_PACKAGES := latexmk texlive-latex-base texlive-latex-recommended texlive-fonts-recommended poppler-utils
TEX_FILES := article.cls natbib.sty booktabs.sty caption.sty microtype.sty plainnat.bst ptmr8t.tfm
# What a venue needs besides: make tex VENUE=ieee_conference
OF_VENUES := texlive-publishers texlive-latex-extra texlive-science
ifeq ($(VENUE),all)
TEX_PACKAGES += $(OF_VENUES)
TEX_FILES += IEEEtran.cls acmart.cls
endif
BIN := .venv/bin
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
       --no-header --no-emit-index-url --no-emit-find-links --upgrade

# Settings of the user's shell must not affect .venv. (With PYTHONDONTWRITEBYTECODE each test process would compile
# every test again.)
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DEFAULT_GOAL := help

.PHONY: help
help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

# --- setting up -------------------------------------------------------------------------------------------------------

.PHONY: setup
setup: .venv/dev.stamp tex  ## install .venv and TeX, for working on Flagstone

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

# requirements/dev.txt holds all of requirements/runtime.txt.
.venv/dev.stamp: requirements/build.txt requirements/runtime.txt requirements/dev.txt pyproject.toml | .venv/bin/pip
	@$(call sync,dev)
	@touch .venv/runtime.stamp

# $(call sync,NAME) installs what requirements/NAME.txt locks, then Flagstone itself, then compiles everything on all
# cores. (If a user's environment sets PYTHONDONTWRITEBYTECODE, Python would otherwise compile every module at every
# start. Some packages hold templates that are no Python.) Packages that exist only as source are built with the
# setuptools that requirements/build.txt locks.
PIP := PIP_USE_PEP517=1 $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
define sync
echo "installing requirements/$(1).txt" && \
$(PIP) --require-hashes -r requirements/build.txt && \
$(PIP) --require-hashes --no-build-isolation -r requirements/$(1).txt && \
$(PIP) --no-build-isolation --no-deps -e . && \
{ $(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true; } && \
$(BIN)/python -m compileall -q src && \
touch $@
endef

# $(call install,PACKAGES,WHY) installs Debian packages if it has the rights, or prints one line that says what to install.
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

# The style files of a venue, as config/venues.yaml names them.
STYLE_FILES = $(shell sed -n '/^  $(VENUE):/,/^$$/s/^ *style_files: *\[\(.*\)\].*/\1/p' config/venues.yaml)

.PHONY: tex
tex:  ## install LaTeX; for the style of a venue: make tex VENUE=ieee_conference
	@if ! command -v tectonic >/dev/null; then \
	  if ! { command -v latexmk && kpsewhich $(TEX_FILES); } >/dev/null 2>&1; then \
	    $(call install,$(TEX_PACKAGES),to compile papers); fi; fi
	@if [ -n "$(VENUE:all=)" ] && ! grep -q '^  $(VENUE):' config/venues.yaml; then \
	  echo "there is no venue $(VENUE): see config/venues.yaml" >&2; exit 2; fi
	@if [ -n "$(STYLE_FILES)" ] && ! kpsewhich $(STYLE_FILES) >/dev/null 2>&1 && ! ls venues/$(VENUE)/* >/dev/null 2>&1; then \
	  $(call install,$(OF_VENUES),for the style of $(VENUE)); \
	  kpsewhich $(STYLE_FILES) >/dev/null || { \
	    echo "put $(STYLE_FILES) into venues/$(VENUE)/: Debian does not have it" >&2; exit 2; }; fi

.PHONY: lock
lock: .venv/dev.stamp  ## update requirements/*.txt from pyproject.toml
	$(LOCK) pyproject.toml --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --group dev --constraints requirements/runtime.txt --output-file requirements/dev.txt
	$(LOCK) --group build --constraints requirements/dev.txt --output-file requirements/build.txt

# --- using ------------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: .venv/runtime.stamp tex  ## run a small, real study, from its goal to a compiled paper
	@name=demo; number=1; \
	while [ -e "runs/$$name" ]; do number=$$((number + 1)); name=demo-$$number; done; \
	$(BIN)/flagstone new "$$name" --agent demo --goal "$(GOAL)" --set demo.data_seed=$(SEED) && \
	$(BIN)/flagstone run "$$name" --yes && \
	$(BIN)/flagstone paper build "$$name" | sed -n 's/^audit  /audit   /p' && \
	echo "paper   $(CURDIR)/runs/$$name/workspace/artifacts/paper.pdf" && \
	echo "report  $(CURDIR)/runs/$$name/report.html" && \
	echo "gates   --yes approved every stage; to see a gate wait for you:" \
	  "$(BIN)/flagstone new mine --agent demo --goal 'Which trick helps?' && $(BIN)/flagstone run mine"

# The same three ideas under both gates: the default, and the one that many papers use.
.PHONY: demo-campaign
demo-campaign: .venv/runtime.stamp tex  ## let three ideas be tried without a person, under both gates
	@number=1; while [ -e "runs/campaign-$$number-confirm" ]; do number=$$((number + 1)); done; \
	project=$$(mktemp -d) && trap 'rm -rf "$$project"' EXIT && \
	$(BIN)/python -m flagstone.agents.demo.project "$$project/digits" && \
	for gate in confirm cohens_d; do name="campaign-$$number-$$gate"; \
	  $(BIN)/flagstone campaign new "$$name" --agent demo --gate $$gate --goal "$(GOAL)" \
	    --project "$$project/digits" --mutable train.py --metric test_error --direction min --minimum-effect 2.5 \
	    --scale train_images -- python train.py --seed {seed} && \
	  $(BIN)/flagstone run "$$name" --cores 2 || exit; \
	done; \
	for gate in confirm cohens_d; do $(BIN)/flagstone campaign status "campaign-$$number-$$gate"; done

.PHONY: clean
clean:  ## remove what make built, but not runs/
	rm -rf .venv build dist src/flagstone.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .snakemake
	find src tests workflow benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# --- working on Flagstone ---------------------------------------------------------------------------------------------

# More workers than a small machine has cores: many tests wait for processes to end, those of Claude Code and SLURM for
# most of their time.
WORKERS := 4
TESTS ?= -n $(WORKERS)

.PHONY: test
test: .venv/dev.stamp tex  ## run the tests
	$(BIN)/python -m pytest $(TESTS)

test-all test-long test-claude: WORKERS := 6

# If CI is set, no test may be skipped for want of a sandbox, Claude Code or SLURM.
.PHONY: test-all
test-all: .venv/dev.stamp tex  ## run these and what they leave out: long sweeps, the real Claude Code, a real SLURM
	-$(BIN)/python tests/claude/install.py
	$(BIN)/python -m pytest -m "" $(TESTS) -rs

.PHONY: test-long
test-long: .venv/dev.stamp tex  ## run what make test leaves out
	-$(BIN)/python tests/claude/install.py
	$(BIN)/python -m pytest -m "slow or claude or slurm" $(TESTS) -rs

.PHONY: sandbox
sandbox:  ## install bubblewrap, the second half of the sandbox
	@command -v bwrap >/dev/null || { $(call install,bubblewrap,to hold agents inside their grant); }

# If CI is set, no test may be skipped. Otherwise every test is skipped, and says so, if there is no npm.
.PHONY: test-claude
test-claude: .venv/dev.stamp  ## run the real, pinned Claude Code against our own Messages API
	$(BIN)/python tests/claude/install.py
	$(BIN)/python -m pytest tests/claude -m claude $(TESTS) -rs

# If CI is set, no test may be skipped. Otherwise every test is skipped, and says so, if no cluster can be started.
.PHONY: test-slurm
test-slurm: .venv/dev.stamp  ## run experiments on a real SLURM, started on this machine
	$(BIN)/python -m pytest tests/workflow -m slurm -rs

CHECKS := check-lint check-format check-types check-imports check-rules-format check-rules check-docs

.PHONY: check $(CHECKS)
check: .venv/dev.stamp  ## run every check but the tests; all of them run, even if one fails
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
docs: .venv/dev.stamp  ## generate the reference and the pictures from schemas, code and --help
	$(BIN)/python docs/generate.py

.PHONY: bench
bench: .venv/dev.stamp  ## measure every figure that we publish
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done
