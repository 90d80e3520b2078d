# make demo   installs what it needs, runs the example study on the local stack, shows its results
# make install   installs the command into .venv
# make test   the gate: checks and tests
# make up     keeps the local stack running
# make help   the rest

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LIBRARY := layers/energyplus/python/epsm
UV_VERSION := 0.13.9
# At least `minimumCliVersion` of cdk.out/manifest.json.
CDK := aws-cdk@2.1148.0
export UV_PYTHON := $(abspath $(BIN)/python)
export UV_PROJECT_ENVIRONMENT := $(abspath $(VENV))
# The stack and its functions are many short processes; without bytecode each would compile hundreds of modules anew.
unexport PYTHONDONTWRITEBYTECODE

# A stack for each process, so modules stay together; the long ones stand first.
# The units empty moto's backends for each test; the deployed stack lives in the same backends. So they do not share a
# process.
IN_PARALLEL := --dist loadfile --no-loadscope-reorder
# Tests of a stack wait for it, which leaves a fifth of the cores idle.
UNIT_WORKERS = $(shell $(PYTHON) -c 'import os; print(min(4, os.cpu_count()))')
STACK_WORKERS = $(shell $(PYTHON) -c 'import os; print(min(4, os.cpu_count() * 3 // 2))')

.DEFAULT_GOAL := help
.PHONY: help install demo up test check check-types check-template check-code check-site unit coverage mutants moto infra e2e image-test synth deploy wheel wheel-test second-opinion format docs-site prose docs notebooks clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; give another with PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Three stamps: what running a study takes; what the CDK takes, with Node.js; all, with the tools of development.
$(VENV)/.run: $(BIN)/uv uv.lock pyproject.toml
	$(BIN)/uv sync --quiet --frozen --inexact --no-default-groups --extra local
	@$(BIN)/python -m infra.tools.slim
	@touch $@

$(VENV)/.cdk: $(VENV)/.run
	$(BIN)/uv sync --quiet --frozen --inexact --no-default-groups --extra local --group infra
	@touch $@

$(VENV)/.dev: $(VENV)/.cdk $(wildcard layers/energyplus/engines/*.txt)
	$(BIN)/uv sync --quiet --frozen --inexact --all-extras
	$(BIN)/python -m epsm_local.energyplus.system_libraries
	$(BIN)/python -m epsm_local.energyplus.engines
	@touch $@

install: $(VENV)/.run ## install the command with the local stack into .venv
	@echo "Installed. Run: $(BIN)/epsm run examples/office-retrofit"

demo: $(VENV)/.run ## run the example study on the local stack and show its results
	$(BIN)/epsm run examples/office-retrofit --stack local

up: $(VENV)/.run ## keep the local stack running on 127.0.0.1
	$(BIN)/epsm up

test: check ## everything that CI runs
	$(BIN)/pytest -n $(UNIT_WORKERS) $(IN_PARALLEL) tests/unit
	$(BIN)/pytest -n $(STACK_WORKERS) $(IN_PARALLEL) --ignore tests/unit

check: $(VENV)/.dev ## format, lint, types, imports, docs, wording, the packaged template, the template (cfn-lint, cdk-nag), the state machine (statelint), the lock file
	@$(MAKE) --no-print-directory --output-sync=target -j2 check-types check-template check-code check-site

# The longest first.
check-types: $(VENV)/.dev
	$(BIN)/mypy

check-template: $(VENV)/.dev
	$(BIN)/python -m infra.tools.product --check
	$(BIN)/python -m infra.tools.check

check-code: $(VENV)/.dev
	$(BIN)/uv lock --quiet --check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	PYTHONPATH=.:layers/energyplus/python $(BIN)/lint-imports --no-logo
	$(BIN)/python -m infra.tools.packaging --check
	$(BIN)/python -m docs.generate --check
	$(BIN)/python -m docs.prose

check-site: $(VENV)/.dev
	$(BIN)/python -m sphinx -q -W --keep-going -E -b dummy -d build/site-check docs build/site-check

unit: $(VENV)/.dev ## tests of the library
	$(BIN)/pytest tests/unit

coverage: $(VENV)/.dev ## branches of the library that its unit tests reach, by package
	$(BIN)/coverage run --branch --source=$(LIBRARY) --data-file=build/coverage -m pytest tests/unit
	@for room in study energyplus checks results store pipeline operations api client; do \
		printf '%-12s' $$room; \
		$(BIN)/coverage report --data-file=build/coverage --include='$(LIBRARY)/'$$room'/*' --format=total; \
	done

mutants: $(VENV)/.dev ## changes of the library that its unit tests do not notice (a sample of each package; long)
	$(BIN)/python -m tests.mutants

infra: $(VENV)/.dev ## tests of the synthesised template
	$(BIN)/pytest tests/infra

moto: $(VENV)/.dev ## tests of the deployed stack on moto, and of what completes moto
	$(BIN)/pytest tests/stack tests/local

e2e: $(VENV)/.dev ## tests from upload to results, with EnergyPlus
	$(BIN)/pytest tests/e2e

image-test: $(VENV)/.dev ## build the container image without Docker (root, Debian) and run a variant in it
	$(BIN)/python -m tests.image

synth: $(VENV)/.cdk ## the CloudFormation template, into cdk.out
	$(BIN)/python -m infra.tools.synth

deploy: $(VENV)/.cdk ## deploy to AWS: make deploy CONTEXT="-c stage=dev"; needs credentials and Docker
	PATH="$$($(BIN)/python -m infra.tools.synth --node):$$PATH" npx --yes $(CDK) deploy $(CONTEXT)

wheel: $(BIN)/uv ## the wheel, into dist
	$(BIN)/uv build --quiet --wheel --clear --out-dir dist

wheel-test: wheel ## install the wheel into an empty environment and run the example study with it
	$(BIN)/python -m tests.wheel dist/epsm-*.whl

second-opinion: $(VENV)/.dev ## run a study on the local stack and on another emulation of AWS (ministack), and show where they differ
	$(BIN)/python -m tests.second_opinion

format: $(VENV)/.dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs-site: $(VENV)/.dev ## the documentation as a site, into build/site
	$(BIN)/python -m sphinx -q -W --keep-going -E -b html -d build/site-check docs build/site

prose: $(VENV)/.dev ## phrases in documents, comments and messages that have a usual technical term
	$(BIN)/python -m docs.prose

docs: $(VENV)/.dev ## the generated parts of docs/
	$(BIN)/python -m docs.generate

notebooks: $(VENV)/.dev ## execute the notebooks of docs/ and store what they show
	$(BIN)/python -m docs.notebook

clean: ## what was built; the environment and results stay
	rm -rf build dist cdk.out
