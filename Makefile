# make demo | test | install | bench | lock        (a fresh machine needs Python 3.11 and make)
# The tests also want a browser, a PostgreSQL, an Orthanc and dcmtk; on Debian as root make installs them.
PYTHON ?= python3.11
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --require-hashes --compile-bytecode --python $(BIN)/python
PACKAGES := chromium postgresql dcmtk orthanc orthanc-dicomweb orthanc-gdcm
LOCK := $(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-annotate --no-header

.PHONY: install demo test lint bench lock clean

install: .venv/installed

.venv/installed: requirements-install.lock requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements-install.lock
	$(UV) -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

.venv/ready-to-test: .venv/installed requirements-dev.lock
	$(UV) -r requirements-dev.lock
	touch $@

.venv/packages-ready: .venv/installed
	dpkg --status $(PACKAGES) >/dev/null 2>&1 \
	  || (apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends $(PACKAGES)) \
	  || (echo "The tests need these packages, please install them: $(PACKAGES)" && false)
	touch $@

demo: install
	$(BIN)/graftsite assess sample_dicom/subjects --output demo_output

lint: .venv/ready-to-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint .venv/packages-ready
	$(BIN)/pytest --numprocesses 2 --dist loadfile --cov --cov-report term:skip-covered

bench: .venv/ready-to-test
	$(BIN)/python -m benchmarks

lock:
	$(LOCK) requirements-install.in -o requirements-install.lock
	$(LOCK) requirements.in -o requirements.lock
	$(LOCK) requirements-dev.in -o requirements-dev.lock

clean:
	rm -rf .venv demo_output .coverage .mypy_cache .pytest_cache .ruff_cache
