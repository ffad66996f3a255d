# make run    make .venv, install kpviewer, open it; ARGS="demo --seconds 10" goes through;
#             EXTRA=torch adds PyTorch, which is the default beside an NVIDIA driver
# make test   the same with the test tools, then the whole suite; ARGS="-k sources" goes through
# make check  format, lint, types, spelling, Dockerfiles and the fast tests: run it before each commit
# make format let ruff fix what it can
# make docs   build the documentation as a site in site/
# make release  build sdist and wheel in dist/, check the wheel; ARGS=--with-dependencies goes through

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed$(addprefix -,$(EXTRA))
# Whole files of tests side by side, in the order of tests/conftest.py, which also says in how many
# processes.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := run
.PHONY: run test check lint fast-tests format docs release

run: $(INSTALLED)
	@$(BIN)/python -m kpviewer.installation.qt_libraries --install
	@$(BIN)/kpviewer $(ARGS)

test: $(VENV)/.installed-dev
	$(BIN)/pytest -q $(SIDE_BY_SIDE) $(ARGS)

# SKIP_TESTS=1 is for .ci/run, which has just run all of them.
check: lint $(if $(SKIP_TESTS),,fast-tests)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy kpviewer
	$(BIN)/typos
	$(BIN)/hadolint Dockerfile Dockerfile.cuda

fast-tests: $(VENV)/.installed-dev
	$(BIN)/pytest -q $(SIDE_BY_SIDE) -m "not slow and not soak"

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Strict: a warning is an error (--quiet would hide it). The variable silences the theme's own notice.
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build
	@echo "Documentation: site/index.html"

# The wheel is built from the sdist, so both are complete.
release: $(VENV)/.installed-dev
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python scripts/check_release.py $(ARGS)

# The stamps make a second call start at once.
$(VENV)/.installed: pyproject.toml scripts/setup
	@scripts/setup
	@touch $@

$(VENV)/.installed-%: pyproject.toml scripts/setup
	@scripts/setup $*
	@touch $(VENV)/.installed $@
