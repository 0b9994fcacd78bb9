# Needs make, and Python 3.11 or newer with pip. It asks nothing and writes only below this folder;
# `test` also installs Debian's Chromium, bubblewrap, PostgreSQL, nginx, sshd, rsync and git where it
# may.

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?= -n auto
BENCH_ARGS ?=
# Wheels only: building a source package would fetch build tools that no hash covers.
PIP_INSTALL_ARGS ?= --only-binary :all:

PY := $(VENV)/bin/python
# The machine's pip serves the environment, so that Debian needs no python3-venv.
pip = $(PYTHON) -m pip --python $(1) --no-input --disable-pip-version-check install --quiet
CHECKED := $(wildcard generator tests benchmarks)
# libatomic1 is for the Node.js inside Playwright.
CHROMIUM_PACKAGES := chromium fonts-dejavu-core libatomic1

export DEBIAN_FRONTEND := noninteractive

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help site test lint serve bench lock clean browser sandbox database schemas servers

help: ## show this list
	@sed -n 's/^\([a-z]*\):.* ## \(.*\)/  make \1	\2/p' $(firstword $(MAKEFILE_LIST))

site: $(VENV)/.installed ## set up, verify packets/ and build the site into site/
	$(VENV)/bin/lanebook build

serve: $(VENV)/.installed ## show the site on this machine, built again as packets change
	$(VENV)/bin/lanebook serve

test: $(VENV)/.test $(VENV)/.installed browser sandbox database schemas servers ## set up and run every test
	$(PY) -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.test $(VENV)/.installed ## check style, formatting and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy $(CHECKED)

bench: $(VENV)/.test $(VENV)/.installed ## run the benchmarks
	$(PY) -m benchmarks $(BENCH_ARGS)

# One version for every Python, so that a site has the same bytes everywhere. UPGRADE= keeps what fits.
UPGRADE ?= --upgrade
compile = $(VENV)/lock/bin/uv --no-config pip compile --quiet --generate-hashes --universal \
	--python-version 3.11 --fork-strategy fewest --custom-compile-command 'make lock' $(UPGRADE)
lock: $(VENV)/.lock ## choose the newest dependencies and write requirements/*.txt again
	$(compile) pyproject.toml requirements/site.in -o requirements/site.txt
	$(compile) --all-extras pyproject.toml requirements/test.in -o requirements/test.txt
	$(compile) requirements/lock.in -o requirements/lock.txt

clean: ## remove the site, the environment and every cache
	rm -rf $(VENV) site/docs site/html .lanebook build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find $(CHECKED) -path tests/packets -prune -o -path tests/suites -prune -o \
		-type d -name __pycache__ -prune -exec rm -rf {} +

# Set-up. Each stamp is written last, so that a set-up that was interrupted starts again.

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lanebook needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv --without-pip --clear $(VENV)
	@touch $@

$(VENV)/.site: requirements/site.txt | $(VENV)/.python
	$(call pip,$(PY)) $(PIP_INSTALL_ARGS) --require-hashes -r $<
	@touch $@

$(VENV)/.test: requirements/test.txt | $(VENV)/.site
	$(call pip,$(PY)) $(PIP_INSTALL_ARGS) --require-hashes -r $<
	@touch $@

$(VENV)/.installed: pyproject.toml generator/__init__.py $(VENV)/.site
	$(call pip,$(PY)) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.lock: requirements/lock.txt | $(VENV)/.python
	$(PYTHON) -m venv --without-pip --clear $(VENV)/lock
	$(call pip,$(VENV)/lock/bin/python) $(PIP_INSTALL_ARGS) --require-hashes -r $<
	@touch $@

# Jenkins' schema of JUnit XML lies in the source of pytest, which is locked by hash beside its wheel.
# Its build backend, which pip asks for its name, is among what the tests need.
$(VENV)/.schemas: requirements/test.txt | $(VENV)/.test
	@rm -rf $(VENV)/schemas && mkdir $(VENV)/schemas
	@awk '/^pytest==/ {on = 1} on && /# via/ {exit} on' $< >$(VENV)/schemas/pytest.txt
	$(PYTHON) -m pip --python $(PY) --no-input --disable-pip-version-check download --quiet --no-deps \
		--no-binary :all: --no-build-isolation --require-hashes -r $(VENV)/schemas/pytest.txt -d $(VENV)/schemas
	@touch $@

schemas:
	@$(MAKE) --no-print-directory $(VENV)/.schemas \
	|| echo 'make: the source of pytest cannot be had: JUnit XML will not be held against a schema'

INSTALL := sh scripts/install_packages.sh

browser:
	@$(INSTALL) 'command -v chromium' $(CHROMIUM_PACKAGES) \
	|| echo 'make: no chromium here, and it cannot be installed: the browser tests will be skipped'

# The packet's own scripts run with the system's Python, as nothing else is seen in there.
sandbox:
	@$(INSTALL) 'command -v bwrap && test -x /usr/bin/python3' bubblewrap python3 \
	|| echo 'make: no bubblewrap here, and it cannot be installed: its tests will be skipped'

# Sites are published to real ones on loopback, which the tests start and end themselves.
SERVERS := for name in nginx sshd ssh rsync git openssl; do command -v $$name || exit; done
servers:
	@$(INSTALL) '($(SERVERS))' nginx-light openssh-server openssh-client rsync git openssl \
	|| echo 'make: no nginx, sshd, rsync or git here, and they cannot be installed: the tests of publishing to them will be skipped'

# Only PostgreSQL's programs are wanted: no cluster is made, and no service started. zstd is for dumps
# that are packed with it.
POSTGRES := ls /usr/lib/postgresql/*/bin/postgres
CLUSTERS := /etc/postgresql-common/createcluster.conf
database:
	@$(INSTALL) 'command -v zstd && { $(POSTGRES) || test -e $(CLUSTERS); }' zstd postgresql-common \
	&& { $(POSTGRES) >/dev/null 2>&1 \
		|| sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' $(CLUSTERS); } \
	&& $(INSTALL) '$(POSTGRES)' postgresql \
	|| echo 'make: no PostgreSQL here, and it cannot be installed: its tests will be skipped'
