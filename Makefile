# Apus: two commands matter. `make run` shows the mesh of Examples/bookstore at work, `make test` proves it.
# One build folder and one configuration (release) serve both, so the dependencies are compiled once.

SHELL := /bin/bash
CONFIG := release
BIN := .build/$(CONFIG)
VENV := .build/venv
PYTHON := $(VENV)/bin/python
SWIFT_FLAGS := -c $(CONFIG)

.PHONY: run test bench check build build-tests setup tools format fuzz clean

run: build python
	$(PYTHON) Examples/bookstore/run.py --bin $(BIN)

test: check build-tests tools
	swift test $(SWIFT_FLAGS) --skip-build
	$(PYTHON) Protos/verify.py
	$(PYTHON) Tests/Interop/run.py --bin $(BIN)

bench: build tools
	@Tests/Checks/setup.sh rivals
	$(PYTHON) Tests/Benchmarks/run.py --bin $(BIN)

# Fuzzing with time; the corpora are replayed by `make test`.
fuzz: build
	$(PYTHON) Tests/Fuzz/run.py --bin $(BIN)
	$(PYTHON) Tests/Fuzz/run.py --bin $(BIN) --wire all

check: python
	$(PYTHON) Tests/Checks/walls.py
	$(PYTHON) Tests/Checks/hygiene.py
	$(PYTHON) Tests/Checks/field_table.py
	swift format lint --strict --recursive --parallel --configuration .swift-format Package.swift $$(Tests/Checks/handwritten.sh)

build: setup
	swift build $(SWIFT_FLAGS)

build-tests: setup
	swift build $(SWIFT_FLAGS) --build-tests

setup:
	@Tests/Checks/setup.sh system

.PHONY: python
python: setup
	@Tests/Checks/setup.sh python $(VENV)

tools: python
	@Tests/Checks/setup.sh tools $(VENV)

format:
	swift format --in-place --recursive --parallel --configuration .swift-format Package.swift $$(Tests/Checks/handwritten.sh)

clean:
	rm -rf .build
