# Plumbline. `make` or `make help` lists what can be made.
# Release is built once: `swift build` and `swift test` must be given the same flags, and tests
# never use @testable, so that both share the objects in .build/release.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

RELEASE := -c release
TEST_FLAGS := $(RELEASE) --disable-testable-imports
PLUMBLINE := .build/release/plumbline
TOPOLOGIES := $(patsubst %/topology.yaml,%,$(wildcard topologies/*/topology.yaml))
FORMATTED := Sources Tests Benchmarks Package.swift
# Where `make run` keeps its log.
DATA ?= data
# How often `make test` and `make crash` kill the program.
KILLS ?= 20
CRASH_KILLS ?= 200
# Records of the larger file, and rounds, of `make bench` and `make bench-peers`.
RECORDS ?= 10000000
ROUNDS ?= 5
# Which cases of `make bench-micro`, as a regular expression over whole names.
CASES ?= .*
BENCH = --records $(RECORDS) --rounds $(ROUNDS)

# One recipe at a time: two builds in one directory wait for each other anyway.
.NOTPARALLEL:
.PHONY: help setup build run test lint tidy suites cases end-to-end
.PHONY: bench bench-peers bench-micro bench-growth bench-phases bench-startup crash format clean

help: ## this list
	@echo "usage: make TARGET"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the system packages that are missing (apt)
	@Scripts/setup.sh

build: setup ## build the program: .build/release/plumbline
	swift build $(RELEASE) --product plumbline

run: build ## import the fixtures into ./data, run all topologies, print the alarms
	@DATA="$(DATA)" PLUMBLINE="$(PLUMBLINE)" Scripts/run-demo.sh

test: setup lint tidy suites cases end-to-end ## everything that must be green before a merge

lint: ## the format of every Swift file
	swift format lint --strict --parallel --recursive $(FORMATTED)

tidy: setup ## house rules: imports, sizes, words, docstrings, links
	swift build $(RELEASE) --product plumbline
	swift test $(TEST_FLAGS) --filter TidyTests

suites: tidy ## all other test suites, in release
	swift test $(TEST_FLAGS) --skip-build --skip TidyTests

cases: build ## the topologies' own cases
	$(PLUMBLINE) test $(TOPOLOGIES)

end-to-end: build ## scripts that run the real program, with KILLS=20 kills
	@KILLS=$(KILLS) Scripts/end-to-end.sh

bench: build ## C1, D1, D2 beside a C++ program on simdjson; RECORDS=10000000 ROUNDS=5
	@swift build $(RELEASE) --product PlainFile
	@/usr/bin/python3 Benchmarks/peers/setup.py yardstick
	@/usr/bin/python3 Benchmarks/bench.py --plumbline "$(PLUMBLINE)" $(BENCH)

bench-peers: build ## the same beside Flink, Spark, DuckDB, ClickHouse, Bytewax, Pathway; hours
	@swift build $(RELEASE) --product PlainFile
	-@/usr/bin/python3 Benchmarks/peers/setup.py
	@/usr/bin/python3 Benchmarks/bench.py --peers --plumbline "$(PLUMBLINE)" $(BENCH)

bench-micro: setup ## every kernel, decoder, codec and operator by itself; CASES='core.*'
	PLUMBLINE_MICRO=1 swift build $(RELEASE) --product MicroBenchmarks
	@.build/release/MicroBenchmarks --filter '$(CASES)'

bench-growth: build ## CPU a record by keys, panes, fields, topologies and workers; ROUNDS=5
	@/usr/bin/python3 Benchmarks/growth.py --plumbline "$(PLUMBLINE)" --rounds $(ROUNDS)

bench-phases: build ## where the CPU time of C1, D1 and D2 goes; needs perf
	@/usr/bin/python3 Benchmarks/phases.py --plumbline "$(PLUMBLINE)" --records $(RECORDS)

bench-startup: build ## milliseconds from the start of C1 to its first committed record
	@/usr/bin/python3 Benchmarks/startup.py --plumbline "$(PLUMBLINE)"

crash: build ## the kill test with 200 kills
	@KILLS=$(CRASH_KILLS) Scripts/end-to-end.sh kill

format: ## format every Swift file in place
	swift format --in-place --parallel --recursive $(FORMATTED)

clean: ## remove what was built; ./data stays
	rm -rf .build
