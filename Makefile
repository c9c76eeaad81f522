# `make demo` sets everything up and runs chartcode on this machine; `make test` tests everything.
# `make help` lists the rest.

SHELL := /bin/sh
.DEFAULT_GOAL := help

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# Without cgo, as `make build`: what one compiles the other needs not.
# It keeps most of what it allocates, so that collecting it often is in vain.
LINT := CGO_ENABLED=0 GOGC=400 go tool -modfile=tools/go.mod golangci-lint

# What `make demo` runs; ARGS are its flags, as in `make demo ARGS=--reset`.
DEMO := exec ./bin/chartcode demo $(ARGS)

.PHONY: help
help: ## list what can be made
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1|/' | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

.PHONY: demo
demo: build bin/become.so ## set up, build, and run everything in one process (ARGS="--reset" starts over)
# The program takes make's place, so that signals reach it and its exit status is make's; see
# deploy/become.c. Where that cannot be, the second line runs it as a child. Not with `make -n`.
ifneq (,$(filter load,$(.FEATURES)))
	@$(if $(findstring n,$(firstword -$(MAKEFLAGS))),,$(if $(wildcard bin/become.so),$(eval load bin/become.so(become_setup))$(become $(DEMO))))
endif
	@$(DEMO)

bin/become.so: deploy/become.c | setup
	@mkdir -p bin
	@$(CC) -shared -fPIC -O1 -o $@ $< 2>/dev/null || true

.PHONY: setup
setup: ## install what the machine lacks: PostgreSQL with pgvector
	@deploy/setup.sh demo

.PHONY: build
build: setup ## build bin/chartcode
	@echo "building bin/chartcode (about a minute the first time) ..." >&2
	@CGO_ENABLED=0 go build -ldflags '-X main.version=$(VERSION)' -o bin/chartcode ./cmd/chartcode

.PHONY: test
test: ## run all tests but the long ones, with the race detector, on real PostgreSQL and NATS
	@deploy/setup.sh test
	@deploy/test.sh

.PHONY: whole
whole: ## run the long tests over whole tables and all real notes that need no server, without the race detector
	@deploy/whole.sh

.PHONY: screenshots
screenshots: ## take pictures of the pages into bin/screenshots, and those of the README into docs
	@deploy/setup.sh test
	@mkdir -p bin/screenshots
	@go test ./internal/web -count 1 -run '^TestScreenshots' -screenshots $(CURDIR)/bin/screenshots
	@cd bin/screenshots && cp item-light.png $(CURDIR)/docs/item.png && cp worklist-light.png $(CURDIR)/docs/worklist.png && cp item-dark.png strip.png $(CURDIR)/docs/

.PHONY: long
long: ## run the tests that take minutes; goes on where it was interrupted
	@deploy/setup.sh test
	@go run ./internal/devtools/longrun $(ARGS)

.PHONY: accuracy
accuracy: build ## measure the local ranker on the development set
	@./bin/chartcode eval accuracy $(ARGS)

.PHONY: gate
gate: build ## compare the suggestions for the sample notes with the stored baseline
	@deploy/gate.sh

.PHONY: baseline
baseline: build ## store the present suggestions for the sample notes as the baseline
	@deploy/gate.sh baseline

.PHONY: lint
lint: ## golangci-lint, with its version pinned in tools/go.mod
	@$(LINT) run ./...

.PHONY: format
format: ## format the Go code
	@$(LINT) fmt ./...

# Prompts that changed have no recordings any more: they are made anew from samples/answers.jsonl.
.PHONY: recordings
recordings: build ## record the hand-written answers to the sample notes as an LLM's, for --llm-replay; they lie in bin/recordings
	@rm -rf bin/recordings
	@go run ./internal/devtools/recordings ./bin/chartcode suggest samples/notes.jsonl --ranker llm --llm-record bin/recordings --out bin/recorded.jsonl

.PHONY: check
check: ## everything a reviewer would run
	@$(LINT) fmt --diff ./...
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory whole
	@$(MAKE) --no-print-directory lint
	@mkdir -p bin
	@go test -run '^$$' -bench . -benchtime 1x ./... > bin/benchmarks.txt || { cat bin/benchmarks.txt; exit 1; }
	@echo "each benchmark once:"; grep '^Benchmark' bin/benchmarks.txt || echo "  there are none"
	@deploy/vulncheck.sh

.PHONY: clean
clean: ## remove what was built, and the tests' database
	@go run ./internal/testpg/ctl stop
	@rm -rf bin
