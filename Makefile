# Everything is found where it lies: a folder with a go.mod is a module, a folder of connectors/ is a connector.
# `make` alone explains the targets.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory
.DEFAULT_GOAL := help

# A checkout that belongs to another user, or that is no checkout at all, must build too.
export GOFLAGS := $(filter-out -buildvcs=false,$(GOFLAGS)) -buildvcs=false

MODULES    ?= $(sort $(patsubst ./%/go.mod,%,$(shell find . -name go.mod -not -path './.*' -not -path './build/*' -not -path '*/testdata/*')))
EVERY      := $(sort $(patsubst connectors/%/go.mod,%,$(wildcard connectors/*/go.mod)))
CONNECTORS ?= $(EVERY)

PLATFORM   ?= $(shell go env GOOS)/$(shell go env GOARCH)
OS         := $(patsubst %/,%,$(dir $(PLATFORM)))
ARCH       := $(notdir $(PLATFORM))

LOCAL_BASE := imob-data/base:busybox-$(ARCH)
BASE       ?= $(shell docker image inspect $(LOCAL_BASE) >/dev/null 2>&1 && echo $(LOCAL_BASE) || echo busybox:1.37-musl)

GOLANGCI   := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

FUZZTIME   ?= 60s
TESTFLAGS  ?=

comma := ,
space := $(subst ,, )

# $(call metadata,connector,field) is a field of the connector's metadata.yaml.
metadata = $(shell awk '$$1 == "$(2):" { gsub(/["\047]/, "", $$2); print $$2; exit }' connectors/$(1)/metadata.yaml)

##@ Look

.PHONY: help
help: ## this text
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile
	@printf '\nSettings, as in make images PLATFORM=linux/arm64\n'
	@printf '  %-14s %s\n' \
		CONNECTORS 'the connectors meant ($(CONNECTORS))' \
		PLATFORM 'what is built for ($(PLATFORM))' \
		BASE 'the base image: what make base made where it did, else busybox:1.37-musl' \
		IMAGE '1: make demo runs the images instead of the binaries' \
		GROWTH '1: make bench reads 10,000 to 1,000,000 rows instead; full: 10,000,000 too' \
		LATENCY 'make bench reads each stream from an API whose answers take this long instead, as in 100ms' \
		TYPES '1: make bench shows what it costs to bring columns into their types instead' \
		PEER "1: make bench reads a stream with Airbyte's Python CDK instead, which it installs from PyPI into build/peer" \
		FAULTS '1: make acceptance also lets the API answer wrongly in every way there is' \
		FUZZTIME 'how long each fuzz target runs ($(FUZZTIME))' \
		TESTFLAGS 'more flags for go test, such as -race or -run=Name' \
		REQUIRE_DOCKER '1: fail where there is no Docker instead of leaving the container tests out'

.PHONY: demo
demo: ## every connector against its simulator: spec, check, discover, a full and a second read; no credentials, no Docker
	@go -C integration run ./cmd/demo $(if $(IMAGE),-image)

.PHONY: bench
bench: $(if $(PEER),build/peer/bin/source-declarative-manifest) ## the connectors' time, CPU and memory beside a plain relay's; tables go to docs/bench
	@go -C integration run ./cmd/bench -write ../docs/bench $(if $(GROWTH),-growth $(GROWTH)) $(if $(LATENCY),-latency $(LATENCY)) \
		$(if $(PEER),-peer) $(if $(TYPES),-types) $(if $(filter 1,$(words $(CONNECTORS))),-connector $(CONNECTORS))

build/peer/bin/source-declarative-manifest: integration/cmd/bench/peer/requirements.txt
	@python3 -m venv build/peer
	@build/peer/bin/pip install --quiet --requirement $<
	@touch $@

##@ Prove

.PHONY: test
test: docker-or-not ## all tests of all modules; those in containers where Docker answers
	go test -count=1 -timeout=30m $(TESTFLAGS) work

.PHONY: acceptance
acceptance: docker-or-not ## CONNECTORS judged by cmd/acceptance, on images where Docker answers, and the acceptance suite for them; see docs/acceptance.md
	@$(MAKE) judged
	go test -count=1 -timeout=30m $(if $(filter-out $(CONNECTORS),$(EVERY)),$(chosen)) $(TESTFLAGS) ./integration/acceptance/...

# Each connector against the simulator of its API, which the judge starts; without Docker, its binary.
.PHONY: judged
judged:
	@go build -C integration -o ../build/acceptance ./cmd/acceptance
	@if docker version >/dev/null 2>&1; then $(MAKE) images; else $(MAKE) binaries; fi
	@for connector in $(CONNECTORS); do \
		build/acceptance --config connectors/$$connector/acceptance-test-config.yml --simulator $${connector#*-} --memory 64 --image-size 20 \
			$(if $(FAULTS),--faults) $$(docker version >/dev/null 2>&1 || echo --binary build/$(OS)_$(ARCH)/$$connector) || failed="$${failed:-} $$connector"; \
	done; \
	if [ -n "$${failed:-}" ]; then echo "These did not pass:$$failed" >&2; exit 1; fi

# Flags of go test that choose what belongs to CONNECTORS: the tests named after them, as TestFooBar is after source-foo, and what is run under
# names that begin with theirs; without the tests named after others.
chosen = -run='$(call named-after,$(CONNECTORS))|/^($(call either,$(CONNECTORS)))(_|$$)' \
	-skip='$(call named-after,$(filter-out $(CONNECTORS),$(EVERY)))'
named-after = ^Test(?i:$(call either,$(patsubst source-%,%,$(filter source-%,$(1))) none))
either = $(subst $(space),|,$(strip $(1)))

.PHONY: warehouse
warehouse: ## every source from its simulator into DuckDB and PostgreSQL with PyAirbyte, and the tables held against its rows
	@if .ci/pyairbyte build/warehouse integration/warehouse/requirements.txt; then \
		build/warehouse/bin/python integration/warehouse/warehouse.py; \
	else \
		echo '*** PyAirbyte cannot be had from PyPI: THE WAREHOUSE IS NOT TRIED. ***'; \
	fi

.PHONY: cdk
cdk: docker-or-not ## the image tests of Airbyte's Python CDK on the images of CONNECTORS, each against its simulator; needs Docker and make images
	@if ! docker version >/dev/null 2>&1; then exit; \
	elif .ci/pyairbyte build/cdk integration/cmd/cdk/requirements.txt; then \
		go -C integration run ./cmd/cdk -python ../build/cdk/bin/python $(CONNECTORS); \
	else \
		echo '*** Airbyte'"'"'s CDK cannot be had from PyPI: ITS TESTS ARE NOT TRIED. ***'; \
	fi

.PHONY: others
others: ## sources in Python from PyPI, judged by cmd/acceptance: what is found has to be what docs/acceptance.md lists
	@go build -C integration -o ../build/acceptance ./cmd/acceptance
	@if .ci/pyairbyte build/cdk integration/cmd/cdk/requirements.txt && .ci/pyairbyte build/faker integration/judge/others/faker/requirements.txt; then \
		export PYTHON='$(CURDIR)/build/cdk/bin/python'; \
		integration/judge/others/judge.sh declarative --binary integration/judge/others/declarative/source --simulator dwv --simulator-size 30 --faults; \
		integration/judge/others/judge.sh faker --binary build/faker/bin/source-faker; \
	else \
		echo '*** The sources cannot be had from PyPI: THEY ARE NOT JUDGED. ***'; \
	fi

# Says aloud what go test keeps to itself: that tests are skipped, and why.
.PHONY: docker-or-not
docker-or-not:
	@if docker version >/dev/null 2>&1; then :; \
	elif [ "$${REQUIRE_DOCKER:-}" = 1 ]; then \
		echo 'REQUIRE_DOCKER=1, but no Docker engine answers; make docker installs and starts one.' >&2; exit 1; \
	else \
		echo '*** No Docker engine answers: THE CONTAINER TESTS ARE SKIPPED. make docker installs and starts one. ***'; \
	fi

.PHONY: lint
lint: ## gofmt, go vet, golangci-lint, actionlint
	@unformatted=$$(gofmt -l $(MODULES)); \
	if [ -n "$$unformatted" ]; then printf 'These files want gofmt -w:\n%s\n' "$$unformatted" >&2; exit 1; fi
	go vet work
	go run $(GOLANGCI) run $(MODULES:%=./%/...)
	go run $(ACTIONLINT) .github/workflows/*.yml examples/acceptance/workflow.yml

.PHONY: alone
alone: ## each module by itself, with GOWORK=off: tidy, verify, build, vet, test (but for the acceptance suite)
	@for module in $(MODULES); do \
		echo "== $$module"; \
		( cd $$module && export GOWORK=off && go mod tidy -diff && go mod verify && go build -o /dev/null ./... && go vet ./... && go test -short $(TESTFLAGS) ./... ); \
	done

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME
	@grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' $(MODULES) | sed 's/:func /:/' | while IFS=: read -r file name; do \
		echo "== $$name in $${file%/*}"; \
		go test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=1x "./$${file%/*}" </dev/null; \
	done

##@ Build

.PHONY: binaries
binaries: $(CONNECTORS:%=build/$(OS)_$(ARCH)/%) ## static binaries of the connectors, in build/<os>_<arch>/

# Without the workspace: what is built is what the module's own go.mod says. Go's cache knows what is new.
build/$(OS)_$(ARCH)/%: FORCE
	@CGO_ENABLED=0 GOWORK=off GOOS=$(OS) GOARCH=$(ARCH) go build -C connectors/$* -trimpath -ldflags='-s -w' -o '$(CURDIR)/$@' .
	@chmod 755 $@

.PHONY: FORCE
FORCE:

.PHONY: images
images: $(CONNECTORS:%=image-%) ## images of the connectors, named as metadata.yaml says, tagged with the version and dev

# Debian's engine has the classic builder only; a newer client calls it deprecated, which matters to nobody while it works.
image-%: image-files
	@$(MAKE) binaries CONNECTORS=$* PLATFORM=linux/$(ARCH)
	@said=$$(DOCKER_BUILDKIT=0 docker build --quiet --platform linux/$(ARCH) --build-arg TARGETARCH=$(ARCH) --build-arg BASE=$(BASE) \
		$(call image-args,$*) --tag $(call metadata,$*,dockerRepository):dev . 2>&1) || { printf '%s\n%s\n' "$$said" \
		'Building the image failed. Where no registry can be reached, make base builds the base image.' >&2; exit 1; }
	@docker image inspect --format '{{join .RepoTags " "}}  {{.Architecture}}  {{.Size}} bytes' $(call metadata,$*,dockerRepository):dev

image-args = --build-arg CONNECTOR=$(1) --build-arg NAME=$(call metadata,$(1),dockerRepository) \
	--build-arg VERSION=$(call metadata,$(1),dockerImageTag) \
	--tag $(call metadata,$(1),dockerRepository):$(call metadata,$(1),dockerImageTag)

# What an image holds besides its binary: the user and the folders that the platform writes to. Made here, because no step of the
# Dockerfile runs inside the image: so an image for any platform can be built on any machine.
.PHONY: image-files
image-files:
	@install -d -m 755 build/image/etc build/image/owned/{airbyte,config,dest,secrets,source}
	@printf '%s\n' 'root:x:0:0:root:/:/bin/sh' 'airbyte:x:1000:1000:airbyte:/airbyte:/bin/sh' >build/image/etc/passwd
	@printf '%s\n' 'root:x:0:' 'airbyte:x:1000:' >build/image/etc/group
	@chmod 644 build/image/etc/*

.PHONY: base
base: ## a busybox base image without a registry, from Debian's busybox-static
	@.ci/base $(LOCAL_BASE) $(ARCH)

.PHONY: docker
docker: ## a Docker engine that answers: installs Debian's where there is none, starts it where there is no systemd (as root)
	@.ci/docker

.PHONY: publish
publish: $(CONNECTORS:%=publish-%) ## push amd64 and arm64 images of the versions that the registry does not have yet (needs buildx)

publish-%: image-files
	@image=$(call metadata,$*,dockerRepository):$(call metadata,$*,dockerImageTag); \
	if answer=$$(docker buildx imagetools inspect "$$image" 2>&1); then echo "$$image is there already"; exit; fi; \
	case $$answer in *'not found'* | *unknown*) ;; *) printf '%s\n' "$$answer" >&2; exit 1 ;; esac; \
	$(MAKE) binaries CONNECTORS=$* PLATFORM=linux/amd64; \
	$(MAKE) binaries CONNECTORS=$* PLATFORM=linux/arm64; \
	docker buildx build --platform linux/amd64,linux/arm64 --push $(call image-args,$*) .; \
	echo "$$image is published"

.PHONY: connectors
connectors: ## the names of the connectors, as JSON
	@echo '["$(subst $(space),"$(comma)",$(CONNECTORS))"]'

.PHONY: clean
clean: ## what was built here
	rm -rf build

##@ Change

.PHONY: new
new: ## a new connector that builds and conforms: make new NAME=source-foo
	@go -C integration run ./cmd/new '$(CURDIR)' '$(NAME)'
	@GOWORK=off go -C connectors/$(NAME) mod tidy
	@$(MAKE) work

.PHONY: work
work: ## write go.work from the folders
	@printf 'go %s\n\nuse (\n' "$$(awk '$$1 == "go" { print $$2 }' $(MODULES:%=%/go.mod) | sort -V | tail -n 1)" >go.work
	@printf '\t./%s\n' $(MODULES) >>go.work
	@printf ')\n' >>go.work

.PHONY: generate
generate: work ## write what programs write: go.work and what go:generate asks for
	go generate work

.PHONY: expected
expected: binaries ## rewrite the sources' expected records from their simulators; read the difference before committing it
	@go build -C integration -o ../build/acceptance ./cmd/acceptance
	@for connector in $(filter source-%,$(CONNECTORS)); do \
		build/acceptance --config connectors/$$connector/acceptance-test-config.yml --simulator $${connector#*-} \
			--binary build/$(OS)_$(ARCH)/$$connector --write-expected; \
	done

.PHONY: golden
golden: ## rewrite the connectors' golden files; read the difference before committing it
	go test -count=1 $(CONNECTORS:%=./connectors/%/...) -update
