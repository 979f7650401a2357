GO ?= go
CONFIG ?= examples/meantime.yml
# Where `make build` puts the program.
BIN ?= bin/meantime

# What a build tells of itself. The date is the commit's, so that the same commit gives the same bytes.
VERSION = $(shell cat VERSION)
REVISION = $(shell git rev-parse HEAD 2>/dev/null)$(shell git diff --quiet HEAD 2>/dev/null || echo -modified)
BRANCH = $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null)
BUILD_DATE = $(shell TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null)
STAMP = github.com/prometheus/common/version
LDFLAGS = -s -w -X $(STAMP).Version=$(VERSION) -X $(STAMP).Revision=$(REVISION) -X $(STAMP).Branch=$(BRANCH) -X $(STAMP).BuildDate=$(BUILD_DATE)

GOLANGCI_LINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help run build test orders properties lint kills powercuts bench fuzz eval learn generate pictures demo
.DEFAULT_GOAL := help

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Start the daemon on port 10049 with the five example incidents
	$(GO) run ./cmd/meantime --config.file=$(CONFIG)

demo: build ## Start Meantime with a made-up year of incidents, and Prometheus with its past where it is installed
	$(GO) run ./demo --meantime=bin/meantime

build: ## Build the program into bin/, stamped with its version
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/meantime

test: ## Do all set-up and run every test
	@GO="$(GO)" test/run

orders: ## Tell the same facts in 30 random orders with kills between; all must come to the same
	MEANTIME_ORDERS=$${MEANTIME_ORDERS:-30} $(GO) test -count=1 -v -timeout 30m -run 'TestAnyOrder$$' ./test/e2e

properties: ## Draw CHECKS histories and values (2000) for every property test
	$(GO) test -count=1 -timeout 180m ./correlate ./incident ./measure ./webhook ./app ./eval/score ./source/prometheus/history -rapid.checks=$${CHECKS:-2000}

lint: ## Run the linters
	@if $(GO) run $(GOLANGCI_LINT) --version; then \
		$(GO) run $(GOLANGCI_LINT) run ./...; \
	else \
		echo "golangci-lint cannot be built here; gofmt, go vet and staticcheck run in its place" && \
		files=$$(gofmt -l .) && test -z "$$files" || { echo "not formatted: $$files"; exit 1; } && \
		$(GO) vet ./... && \
		$(GO) run $(STATICCHECK) ./...; \
	fi

kills: ## Kill first starts, copies, backups and migrations: at every step, and 250 times at any moment
	$(GO) test -count=1 -timeout 60m -run '^TestKilledAtEveryStep$$' ./store/sqlstore -kill-every=1
	$(GO) test -count=1 -timeout 60m -run '^TestKilledEarly$$' ./test/faults -kills=250

powercuts: ## Cut the power under every write of the store's suite, on a disk that forgets and reorders
	$(GO) test -count=1 -timeout 120m -run '^TestPowerCut' ./store/sqlstore -cut-every=1

.PHONY: soak history past recordings mutants constants oldstores
oldstores: ## Open, migrate, copy and compare a store of every schema that there was, and kill the migration at every step
	$(GO) test -count=1 -timeout 60m -run '^(TestOldStores|TestKilledAtEveryStep)$$/^(schema-.*|migration)$$' ./store/sqlstore -kill-every=1

soak: ## Simulate two replicas and everything that goes wrong for HOURS (1), or the run of one SEED again; STORY= names a file for what happened
	$(GO) test -count=1 -v -timeout 0 -run '^TestSimulate$$' ./test/simulate -hours=$(or $(HOURS),1) -seed=$(or $(SEED),0) $(if $(STORY),-story=$(abspath $(STORY)))

history: ## Check what three replicas show, while they and their database are killed and frozen for FOR (10m); SEED=
	$(GO) test -count=1 -v -timeout 0 -run '^TestHistory$$' ./test/replicas -history.for=$(or $(FOR),10m) -history.within=$(or $(WITHIN),2s) -history.seed=$(or $(SEED),0)

past: ## Read DAYS (90) with EPISODES (10000) out of a real Prometheus' past, and say what that cost
	$(GO) test -count=1 -v -timeout 60m -run '^TestPastWithinMaxSamples$$' ./test/e2e -past.days=$(or $(DAYS),90) -past.episodes=$(or $(EPISODES),10000) \
		-past.watched=20 -past.max-samples=50000000

recordings: ## Record again what real servers answer about their past, for the tests of source/prometheus/history
	$(GO) test -count=1 -timeout 30m -run '^TestPast(OfVictoriaMetrics)?$$' ./test/e2e -past.record=$(CURDIR)/source/prometheus/history/testdata/recorded

mutants: ## Change PKG (./measure) in small ways, one at a time, SAMPLE of them (all), and list what no test of its own notices
	$(GO) run ./test/mutate -sample $(or $(SAMPLE),0) $(or $(PKG),./measure)

constants: ## Halve and double each constant of correlation's model, and list those of which no small organisation and no table of figures notices
	$(GO) run ./test/mutate -constants -tests ./correlate/assign,./correlate -run '^Test(SmallOrganisations|Told.*|Ends.*|Early.*|Lateness.*|Past.*|Bursts.*|Opened.*|What.*|Records.*|Places.*)$$' ./correlate/assign

bench: ## Measure against a bare server on this machine, and what correlation costs; prints one table; BEFORE= another build to compare with
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 150m ./test/bench $(if $(BEFORE),-before=$(abspath $(BEFORE)))
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 150m ./correlate

fuzz: ## Fuzz every decoder, FUZZTIME each (10m); keeps the corpus
	@GO="$(GO)" test/fuzz

eval: ## Judge correlation and postmortems by labelled data; DATA= and CORPUS= name folders that have others, JSON= a file for the figures
	$(GO) run ./eval $(if $(JSON),-json $(JSON)) $(DATA)
	$(GO) run ./eval/postmortem $(CORPUS)

learn: ## Learn the weights by which a postmortem's milestones are chosen; CORPUS= and FRESH= (with commas) name folders of documents with their truth
	$(GO) run ./eval/postmortem/train $(if $(FRESH),-fresh $(FRESH)) $(CORPUS)
	$(GO) test ./postmortem -run 'TestDocuments|TestGolden' -update

generate: ## Make the generated files again, and check that they were committed so
	$(GO) generate ./...
	git diff --exit-code

pictures: ## Draw the dashboards with Grafana's own components into docs/pictures
	GO="$(GO)" node --experimental-websocket test/pictures/run.mjs

# What runs Meantime elsewhere: docs/deploy.md.
ARCH ?= $(shell $(GO) env GOARCH)
IMAGE ?= meantime
NFPM = github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2

CYCLONEDX = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
GORELEASER = github.com/goreleaser/goreleaser/v2@v2.15.1

.PHONY: manual notices sbom image compose package-files packages kubernetes deploy-check release-check
manual: build ## Write the manual page and the shells' completion into bin/manual
	mkdir -p bin/manual
	$(BIN) --help-man 2>&1 | sed '/^.SH "NAME"/{n;s/.*/meantime \\- how long incidents take, as Prometheus metrics/;}' | gzip -9n >bin/manual/meantime.1.gz
	$(BIN) --completion-script-bash >bin/manual/meantime.bash 2>&1
	$(BIN) --completion-script-zsh >bin/manual/meantime.zsh 2>&1

notices: ## Write the licences of all that is linked in to bin/NOTICES
	mkdir -p bin
	$(GO) run ./deploy/notices >bin/NOTICES.new
	mv bin/NOTICES.new bin/NOTICES

sbom: build ## Write the bill of materials of the program, CycloneDX 1.6, to bin/meantime.cdx.json
	$(GO) run $(CYCLONEDX) bin -json -output bin/meantime.cdx.json $(BIN)

release-check: ## Have goreleaser check the release configuration; it is large, and takes long to build
	$(GO) run $(GORELEASER) check

image: notices ## Build the container image with docker, podman or buildah (BUILDER=), for ARCH, as IMAGE
	GOOS=linux GOARCH=$(ARCH) $(MAKE) build BIN=bin/image/linux/$(ARCH)/meantime
	$(GO) run ./deploy/image bin/image bin/NOTICES
	deploy/image/build bin/image deploy/image/Dockerfile $(IMAGE):$(VERSION) --platform linux/$(ARCH) --build-arg TARGETPLATFORM=linux/$(ARCH) \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) --build-arg CREATED=$(BUILD_DATE)

compose: ## Run Meantime with Prometheus, Alertmanager, Grafana and a shop that breaks every ten minutes
	$(MAKE) image BUILDER=docker IMAGE=meantime
	CGO_ENABLED=0 GOOS=linux $(GO) build -trimpath -o bin/compose/shop ./deploy/compose/shop
	deploy/image/build bin/compose deploy/compose/shop/Dockerfile meantime-shop:$(VERSION)
	VERSION=$(VERSION) docker compose -f deploy/compose/compose.yaml up

package-files: manual notices
	GOOS=linux GOARCH=$(ARCH) $(MAKE) build BIN=bin/linux-$(ARCH)/meantime

packages: package-files ## Build the deb and the rpm for ARCH into bin/packages
	mkdir -p bin/packages
	for format in deb rpm; do ARCH=$(ARCH) VERSION=$(VERSION) $(GO) run $(NFPM) package -f deploy/packages/nfpm.yaml -p $$format -t bin/packages/ || exit 1; done

kubernetes: ## Render the plain manifests of deploy/kubernetes from the chart
	cd test/release && $(GO) test -count=1 -run '^TestManifestsAreTheChart$$' . -update

deploy-check: ## Hold deploy/ against the tools themselves: Helm, kustomize, compose, nfpm, goreleaser and go-jsonnet (minutes, at first)
	cd test/release && $(GO) vet ./... && CI=true $(GO) test -count=1 ./...
	cd test/goreleaser && $(GO) vet ./... && $(GO) test -count=1 ./...
	$(GO) test -count=1 -run '^TestChartWasChecked$$' ./test/deploy -seal
