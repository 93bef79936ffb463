# Everything is found where it lies: a folder with a go.mod is a module, a folder of connectors/ is a connector.
# `make` alone explains the targets.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory
.DEFAULT_GOAL := help

TESTFLAGS  ?=

# A checkout that belongs to another user, or that is no checkout at all, must build too. Without cgo and paths whatever is built is built alike,
# by tests, tools and copies of this folder too, and once; -race needs cgo.
export GOFLAGS := $(filter-out -buildvcs=false -trimpath,$(GOFLAGS)) -buildvcs=false -trimpath
export CGO_ENABLED := $(if $(filter -race,$(TESTFLAGS)),1,0)

MODULES    ?= $(sort $(patsubst ./%/go.mod,%,$(shell find . -name go.mod -not -path './.*' -not -path './build/*' -not -path '*/testdata/*')))
EVERY      := $(sort $(patsubst connectors/%/go.mod,%,$(wildcard connectors/*/go.mod)))
CONNECTORS ?= $(EVERY)

GO_HOST    := $(shell go env GOOS GOARCH GOHOSTARCH)
PLATFORM   ?= $(word 1,$(GO_HOST))/$(word 2,$(GO_HOST))
OS         := $(patsubst %/,%,$(dir $(PLATFORM)))
ARCH       := $(notdir $(PLATFORM))

LOCAL_BASE := imob-data/base:busybox-$(ARCH)
BASE       ?= $(shell docker image inspect $(LOCAL_BASE) >/dev/null 2>&1 && echo $(LOCAL_BASE) || echo busybox:1.37-musl)

GOLANGCI   := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

FUZZTIME   ?= 60s

comma := ,
space := $(subst ,, )

# $(call metadata,connector,field) is a field of the connector's metadata.yaml.
metadata = $(shell awk '$$1 == "$(2):" { gsub(/["\047]/, "", $$2); print $$2; exit }' connectors/$(1)/metadata.yaml)

##@ Look

.PHONY: help
help: ## print this text
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile
	@printf '\nSettings, as in make base images PLATFORM=linux/arm64, where no registry can be reached\n'
	@printf '  %-14s %s\n' \
		CONNECTORS 'the connectors meant ($(CONNECTORS))' \
		PLATFORM 'what is built for ($(PLATFORM))' \
		BASE 'the base image: what make base made where it did, else busybox:1.37-musl' \
		IMAGE '1: make demo and make run run the images instead of the binaries' \
		CONNECTOR 'what make run reads: a connector of this repository, the path of a binary, or an image' \
		'CONFIG, OUT' "make run: the configuration's file, and the folder for records and states" \
		STREAMS 'make run: the streams to read, as in a,b; or CATALOG, the file of a configured catalog (all)' \
		DESTINATION 'make run: the connector that the records go to, with DESTINATION_CONFIG, instead of into files' \
		RUNFLAGS "make run: more flags, such as -verbose or -docker '--memory 512m'; build/run -help, there after the first make run, has them all" \
		GROWTH '1: make bench reads 10,000 to 10,000,000 records instead, for an hour; another number, as in 1000000, is the most' \
		LATENCY 'make bench reads each stream from an API whose answers take this long instead, as in 100ms' \
		TYPES '1: make bench shows what it costs to bring columns into their types instead' \
		PEER "1: make bench reads a stream with Airbyte's Python CDK instead, which it installs from PyPI into build/peer" \
		SINCE 'the commit whose versions make lint compares with: where this branch left main' \
		FAULTS '1: make acceptance also lets the API answer wrongly in every way there is' \
		FUZZTIME 'how long each fuzz target runs ($(FUZZTIME))' \
		TESTFLAGS 'more flags for go test, such as -race or -run=Name' \
		FULL '1: make test and make acceptance read as many rows and kill as often as connectors are promised to bear, and run more on images, as CI does' \
		REQUIRE_DOCKER '1: fail where there is no Docker instead of leaving the container tests out'

.PHONY: demo
demo: ## run every connector against its simulator (spec, check, discover, a full and a second read) and draw a page of it; no credentials
	@go -C integration run ./cmd/demo $(if $(IMAGE),-image)

.PHONY: simulator
simulator: ## run the simulator of CONNECTORS (one), to try it by hand; a configuration that reads from it is in build/simulator
	@if [ '$(words $(CONNECTORS))' != 1 ] || [ ! -d 'connectors/$(CONNECTORS)' ]; then \
		echo 'make simulator needs one connector: make simulator CONNECTORS=$(firstword $(filter source-%,$(EVERY))); there are $(subst $(space),$(comma) ,$(EVERY)).' >&2; exit 2; \
	fi
	@mkdir -p build/simulator
	@go -C integration run ./cmd/simulator $(CONNECTORS) -config '$(CURDIR)/build/simulator/$(CONNECTORS).json'

# The connectors of this repository that are run, and how cmd/run is told of a connector: its binary or image, or what it is called elsewhere.
RUNS = $(filter $(EVERY),$(CONNECTOR) $(DESTINATION))
runnable = $(if $(filter $(EVERY),$(1)),$(if $(IMAGE),$(call metadata,$(1),dockerRepository):dev,build/$(OS)_$(ARCH)/$(1)),$(1))

.PHONY: run
run: $(if $(RUNS),$(if $(IMAGE),$(RUNS:%=image-%),$(RUNS:%=build/$(OS)_$(ARCH)/%))) ## read the streams of CONNECTOR with CONFIG into files in OUT, or into DESTINATION; continues where the last run ended
	@go build -C integration -o '$(CURDIR)/build/run' ./cmd/run
	@build/run -connector '$(call runnable,$(CONNECTOR))' -config '$(CONFIG)' -out '$(OUT)' $(if $(STREAMS),-streams '$(STREAMS)') \
		$(if $(CATALOG),-catalog '$(CATALOG)') $(if $(DESTINATION),-destination '$(call runnable,$(DESTINATION))') \
		$(if $(DESTINATION_CONFIG),-destination-config '$(DESTINATION_CONFIG)') $(RUNFLAGS)

.PHONY: bench
bench: $(if $(PEER),build/peer/bin/source-declarative-manifest) ## measure the connectors' time, CPU and memory beside a plain relay's; the tables go to docs/bench
	@go -C integration run ./cmd/bench -write ../docs/bench $(if $(GROWTH),-growth $(GROWTH)) $(if $(LATENCY),-latency $(LATENCY)) \
		$(if $(PEER),-peer) $(if $(TYPES),-types) $(if $(filter 1,$(words $(CONNECTORS))),-connector $(CONNECTORS))

build/peer/bin/source-declarative-manifest: integration/cmd/bench/peer/requirements.txt
	@python3 -m venv build/peer
	@build/peer/bin/pip install --quiet --requirement $<
	@touch $@

##@ Prove

# Without go vet, which make lint runs.
.PHONY: test
test: docker-or-not chromium-or-not python-or-not race-or-not ## run all tests of all modules, those in containers if Docker answers
	go test -count=1 -timeout=30m -vet=off $(TESTFLAGS) work

.PHONY: acceptance
acceptance: docker-or-not ## judge CONNECTORS with cmd/acceptance (on images if Docker answers) and run the acceptance suite for them; see docs/acceptance.md
	@$(MAKE) --jobs=2 --keep-going judged suite # both wait more than they work

.PHONY: suite
suite: judgeable
	go test -count=1 -timeout=30m $(chosen) $(TESTFLAGS) ./integration/acceptance/...

# Each connector against the simulator of its API, which the judge starts; without Docker, its binary. These send a state every ten seconds,
# and the suite kills and resumes them more often. The limit of memory is for all streams at once, on a machine that the suite loads too.
.PHONY: judged
judged: judgeable
	@for connector in $(CONNECTORS); do \
		build/acceptance --config connectors/$$connector/acceptance-test-config.yml --simulator $${connector#*-} --memory 112 --image-size 20 --spread 12s --states 3 --kills 1 \
			$(if $(FULL),,--simulator-much 300) $(if $(FAULTS),--faults) $$(docker version >/dev/null 2>&1 || echo --binary build/$(OS)_$(ARCH)/$$connector) || failed="$${failed:-} $$connector"; \
	done; \
	if [ -n "$${failed:-}" ]; then echo "These did not pass:$$failed" >&2; exit 1; fi

.PHONY: judgeable
judgeable:
	@mkdir -p build
	@go build -C integration -o ../build/acceptance ./cmd/acceptance
	@if docker version >/dev/null 2>&1; then $(MAKE) images; else $(MAKE) binaries; fi

# Flags of go test that choose what belongs to CONNECTORS: the tests named after them, as TestFooBar is after source-foo, and what is run under
# names that begin with theirs; without the tests named after others, and without those of sources' images, which make judged looks at.
chosen = $(if $(filter-out $(CONNECTORS),$(EVERY)),-run='$(call named-after,$(CONNECTORS))|/^($(call either,$(CONNECTORS)))(_|$$)') \
	-skip='$(call named-after,$(filter-out $(CONNECTORS),$(EVERY)))|^Test(Judged|Images$$|Platform$$)'
named-after = ^Test(?i:$(call either,$(patsubst source-%,%,$(filter source-%,$(1))) none))
either = $(subst $(space),|,$(strip $(1)))

.PHONY: warehouse
warehouse: ## read every source from its simulator into DuckDB and PostgreSQL with PyAirbyte, and compare the tables with its rows
	@if .ci/pyairbyte build/warehouse integration/warehouse/requirements.txt; then \
		build/warehouse/bin/python integration/warehouse/warehouse.py; \
	else \
		echo '*** PyAirbyte cannot be had from PyPI: THE WAREHOUSE IS NOT TRIED. ***'; \
	fi

.PHONY: examples
examples: docker-or-not ## run and validate what is in examples; it says what it leaves out for lack of PyPI or Docker
	@.ci/pyairbyte build/examples integration/examples/requirements.txt || echo '*** check-jsonschema cannot be had from PyPI. ***'
	@.ci/pyairbyte build/warehouse integration/warehouse/requirements.txt || echo '*** PyAirbyte cannot be had from PyPI. ***'
	@go -C integration test -count=1 -v ./examples | { grep -v -e '^=== ' -e '^ *--- PASS' || true; }

.PHONY: cdk
cdk: docker-or-not ## run the image tests of Airbyte's Python CDK on the images of CONNECTORS, each with its simulator; needs Docker and make images
	@if ! docker version >/dev/null 2>&1; then exit; \
	elif .ci/pyairbyte build/cdk integration/cmd/cdk/requirements.txt; then \
		go -C integration run ./cmd/cdk -python ../build/cdk/bin/python $(CONNECTORS); \
	else \
		echo '*** Airbyte'"'"'s CDK cannot be had from PyPI: ITS TESTS ARE NOT TRIED. ***'; \
	fi

.PHONY: others
others: ## judge sources in Python from PyPI with cmd/acceptance; the findings must be those that docs/acceptance.md lists
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

.PHONY: chromium-or-not
chromium-or-not:
	@command -v chromium chromium-browser google-chrome >/dev/null || \
		echo "*** There is no Chromium (Debian's package chromium): THE DEMO'S PAGE IS NOT LOOKED AT IN A BROWSER. ***"

.PHONY: race-or-not
race-or-not:
	@case ' $(TESTFLAGS) ' in *' -race '*) echo "*** Under -race: ALLOCATIONS ARE NOT COUNTED. ***";; esac

.PHONY: python-or-not
python-or-not:
	@for environment in examples warehouse; do \
		[ -d build/$$environment/bin ] || \
			echo "*** There is no Python environment build/$$environment (make examples): THE EXAMPLES THAT NEED IT ARE NOT TRIED. ***"; \
	done

.PHONY: lint
lint: ## run gofmt, go vet, golangci-lint, go mod tidy, actionlint, govulncheck; check the connectors' folders, the pages and their spelling
	@unformatted=$$(gofmt -l $(MODULES)); \
	if [ -n "$$unformatted" ]; then printf 'These files want gofmt -w:\n%s\n' "$$unformatted" >&2; exit 1; fi
	go vet work
	go run $(GOLANGCI) run $(MODULES:%=./%/...)
	@for module in $(MODULES); do ( cd $$module && GOWORK=off go mod tidy -diff ); done
	go run $(ACTIONLINT) .github/workflows/*.yml examples/acceptance/workflow.yml
	.ci/vulnerabilities $(GOVULNCHECK) $(MODULES)
	go test -count=1 -run='^TestConform$$' $(EVERY:%=./connectors/%)
	@go -C integration run ./cmd/qa $(if $(SINCE),-since $(SINCE)) ..
	.ci/spelling

.PHONY: alone
alone: ## tidy, verify, build, vet and test (with -short) each module by itself, with GOWORK=off
	@echo '*** -short: what runs every connector (the acceptance suite, judge/broken, cmd/new, cmd/run) is left to make test. ***'
	@for module in $(MODULES); do \
		echo "== $$module"; \
		( cd $$module && export GOWORK=off && go mod tidy -diff && go mod verify && go build -o /dev/null ./... && go vet ./... && go test -short $(TESTFLAGS) ./... ); \
	done

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME
	@grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' $(MODULES) | sed 's/:func /:/' | while IFS=: read -r file name; do \
		echo "== $$name in $${file%/*}"; \
		go test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=1x "./$${file%/*}" </dev/null; \
	done

##@ Build

.PHONY: binaries
binaries: $(CONNECTORS:%=build/$(OS)_$(ARCH)/%) ## build static binaries of the connectors into build/<os>_<arch>/

# Without the workspace: what is built is what the module's own go.mod says. Go's cache knows what is new. One profile for all connectors, so
# that what they share is compiled once.
build/$(OS)_$(ARCH)/%: FORCE
	@CGO_ENABLED=0 GOWORK=off GOOS=$(OS) GOARCH=$(ARCH) go build -C connectors/$* -pgo='$(CURDIR)/common/cpu.pgo' -trimpath -ldflags='-s -w' \
		-o '$(CURDIR)/$@' .
	@chmod 755 $@

.PHONY: FORCE
FORCE:

.PHONY: images
images: $(CONNECTORS:%=image-%) ## build images of the connectors, named as in metadata.yaml, tagged with the version and dev; for another PLATFORM, dev-arm64

# Debian's engine has the classic builder only; a newer client calls it deprecated, which matters to nobody while it works. It gets the binaries of
# no other connector. tar ends with 1 where another make touches the same binary meanwhile.
image-%: image-files
	@$(MAKE) binaries CONNECTORS=$* PLATFORM=linux/$(ARCH)
	@said=$$({ tar --create Dockerfile build/image build/linux_$(ARCH)/$* || [ $$? -eq 1 ]; } | \
		DOCKER_BUILDKIT=0 docker build --quiet --platform linux/$(ARCH) --build-arg TARGETARCH=$(ARCH) --build-arg BASE=$(BASE) \
		$(call image-args,$*,$(FOREIGN)) --tag $(call metadata,$*,dockerRepository):dev$(FOREIGN) $(if $(IIDFILE),--iidfile '$(IIDFILE)') - 2>&1) || { printf '%s\n%s\n' "$$said" \
		'Building the image failed. Where no registry can be reached, make base builds the base image.' >&2; exit 1; }
	@docker image inspect --format '{{join .RepoTags " "}}  {{.Architecture}}  {{.Size}} bytes' $(call metadata,$*,dockerRepository):dev$(FOREIGN)

image-args = --build-arg CONNECTOR=$(1) --build-arg NAME=$(call metadata,$(1),dockerRepository) \
	--build-arg VERSION=$(call metadata,$(1),dockerImageTag) \
	--tag $(call metadata,$(1),dockerRepository):$(call metadata,$(1),dockerImageTag)$(2)

# What the tags of images end in that this machine cannot run, as in dev-arm64: they stand beside those that it can.
FOREIGN = $(if $(filter-out $(word 3,$(GO_HOST)),$(ARCH)),-$(ARCH))

# What an image holds besides its binary: the user and the folders that the platform writes to. Made here, because no step of the
# Dockerfile runs inside the image: so an image for any platform can be built on any machine.
.PHONY: image-files
image-files:
	@install -d -m 755 build/image/etc build/image/owned/{airbyte,config,dest,secrets,source}
	@printf '%s\n' 'root:x:0:0:root:/:/bin/sh' 'airbyte:x:1000:1000:airbyte:/airbyte:/bin/sh' >build/image/etc/passwd
	@printf '%s\n' 'root:x:0:' 'airbyte:x:1000:' >build/image/etc/group
	@chmod 644 build/image/etc/*

.PHONY: base
base: ## build a busybox base image of PLATFORM from Debian's busybox-static, without a registry
	@.ci/base $(LOCAL_BASE) $(ARCH)

.PHONY: docker
docker: ## make a Docker engine answer: install Debian's if there is none, start it if there is no systemd (as root)
	@.ci/docker

.PHONY: publish
publish: ## push amd64 and arm64 images, with SBOM and provenance, of the versions of CONNECTORS that the registry does not have yet
	@go -C integration run ./cmd/release $(CONNECTORS)

.PHONY: connectors
connectors: ## print the names of the connectors as JSON
	@echo '["$(subst $(space),"$(comma)",$(CONNECTORS))"]'

.PHONY: clean
clean: ## delete what was built here
	rm -rf build

##@ Change

.PHONY: new
new: ## create a connector with its simulator, all of whose tests pass: make new NAME=source-foo
	@go -C integration run ./cmd/new '$(CURDIR)' '$(NAME)'
	@GOWORK=off go -C connectors/$(NAME) mod tidy
	@$(MAKE) work
	@go generate ./integration/simulators

.PHONY: work
work: ## write go.work from the folders
	@printf 'go %s\n\nuse (\n' "$$(awk '$$1 == "go" { print $$2 }' $(MODULES:%=%/go.mod) | sort -V | tail -n 1)" >go.work
	@printf '\t./%s\n' $(MODULES) >>go.work
	@printf ')\n' >>go.work

.PHONY: generate
generate: work ## write what programs write: go.work, go:generate, and the fields and versions in the pages
	go generate work
	@go test -count=1 -run='^TestConform$$' $(EVERY:%=./connectors/%) -update
	@go -C integration run ./cmd/qa -write ..

.PHONY: forms
forms: ## draw the form that Airbyte shows of each specification, into docs/forms (needs Debian's chromium)
	@go -C integration run ./cmd/form

.PHONY: expected
expected: binaries ## rewrite the sources' expected records from their simulators; read the difference before committing it
	@go build -C integration -o ../build/acceptance ./cmd/acceptance
	@for connector in $(filter source-%,$(CONNECTORS)); do \
		build/acceptance --config connectors/$$connector/acceptance-test-config.yml --simulator $${connector#*-} \
			--binary build/$(OS)_$(ARCH)/$$connector --write-expected; \
	done

.PHONY: golden
golden: ## rewrite the connectors' golden files and say which changed; read the difference before committing it
	@mkdir -p build && touch build/golden
	@go test -count=1 $(CONNECTORS:%=./connectors/%/...) -update
	@changed=$$(find $(CONNECTORS:%=connectors/%) -type f -newer build/golden | sort); echo "$${changed:-No golden file changed.}"

.PHONY: profile
profile: ## record into common/cpu.pgo where the sources spend CPU time, for the compiler; run it after the path of a record has changed
	@go -C integration run ./cmd/bench -profile
