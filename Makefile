# Nightstand: what a person or a machine does with it.
#
#	make            the program, as bin/nightstand
#	make run        a short night with nothing set up: it rings, you answer
#	make test       everything that is tested, on a private desktop
#	make deps       what is missing to build and test, installed where possible
#	make help       everything else
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:

# A Go that is new enough for go.mod, looked for once and only when needed.
# "make GO=/path/to/go" uses another.
GO = $(eval GO := $(or $(shell .ci/go),$(error there is no Go that is new enough, see above)))$(GO)

# Debian packages to build and run: the compiler for the sound engine and the
# windows, what those are drawn with on X11 and Wayland, and the library through
# which the siren reaches the sound server.
RUN_PACKAGES := \
	gcc libc6-dev make pkg-config libpulse0 \
	libgl1-mesa-dev xorg-dev libwayland-dev libxkbcommon-dev

# Debian packages for tests: a private desktop with a screen, a window manager,
# a bus, a keyring, notifications, a tray and a speaker; a real Alertmanager; the
# checker of systemd units; and the compiler for the Windows build, and Wine to
# run it.
TEST_PACKAGES := \
	xvfb openbox x11-utils scrot fonts-dejavu-core \
	dbus dunst gnome-keyring xfce4-panel \
	pulseaudio pulseaudio-utils prometheus-alertmanager \
	systemd gcc-mingw-w64-x86-64 wine wine64 nftables iproute2

# Versions of the tools that only developers run.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

PROGRAM := bin/nightstand
BUILD := -trimpath -buildvcs=false -ldflags '-s -w'

# Rooms whose tests hear and see: one at a time, or they disturb each other, and
# never from the cache, which does not know that the program has changed.
RIG_ROOMS = ./app/endtoend ./tray/...

# Without a screen to borrow a language from, the tests speak this one.
export LANG := en_US.UTF-8

## Build and run

.PHONY: build
build: ## build the program
	CGO_ENABLED=1 $(GO) build $(BUILD) -o $(PROGRAM) .

.PHONY: run
run: deps-run build ## a short night with nothing set up: it rings, Space answers
	@$(PROGRAM) demo

.PHONY: clean
clean: ## remove what was built
	rm -rf bin shots

## Test

.PHONY: test
test: export NIGHTSTAND_RIG := 1
test: export NIGHTSTAND_WINE := 1
test: export NIGHTSTAND_BINARY := $(CURDIR)/$(PROGRAM)
test: export NIGHTSTAND_EXE := $(CURDIR)/$(PROGRAM).exe
# The graphics library is not compiled once more for the race detector: what
# opens a window has no tests of its own, the rig runs it.
test: deps build format vet cross ## install what is needed and pass every test
	$(GO) test ./app/watch -rapid.checks=10000 -rapid.steps=60
	$(GO) test -race -timeout 15m $$($(GO) list ./... | grep -v -e /app/endtoend -e /tray -e /ui/window -e '^nightstand$$')
	$(GO) test -race -timeout 25m -p 1 -count=1 $(RIG_ROOMS)

.PHONY: format
format:
	@unformatted=$$($$($(GO) env GOROOT)/bin/gofmt -l $$(find . -name '*.go')); \
	[ -z "$$unformatted" ] || { echo "not formatted by gofmt:" $$unformatted; exit 1; }

.PHONY: vet
vet: # with the flags of the build, or everything is compiled twice
	$(GO) vet -trimpath ./...

.PHONY: cross
cross: ## build for Windows, type-check for macOS
	GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc CGO_CFLAGS="-O2 -w" $(GO) build $(BUILD) -o bin/nightstand.exe .
	@# Without Apple's compiler the toolkit's application cannot be checked, nor what imports it.
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) vet -tags ci \
		$$(GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) list -tags ci ./... | grep -v -x -e nightstand -e nightstand/ui/window)

.PHONY: lint
lint: format vet ## gofmt, vet, staticcheck, and govulncheck where its list can be reached
	$(GO) run $(STATICCHECK) ./...
	@if found=$$($(GO) run $(GOVULNCHECK) ./... 2>&1); then echo 'govulncheck: nothing found'; \
	else case $$found in \
	*'fetching vulnerabilities'*) echo 'govulncheck: its list cannot be reached from here' ;; \
	*) echo "$$found"; exit 1 ;; esac; fi

.PHONY: screenshots
screenshots: export NIGHTSTAND_RIG := 1
screenshots: export NIGHTSTAND_SHOTS := $(CURDIR)/shots
screenshots: export NIGHTSTAND_BINARY := $(CURDIR)/$(PROGRAM)
screenshots: build ## pictures of every window and state, to be looked at, in shots/
	$(GO) test -count=1 -run 'Window|Night|Fingers|Hand' ./app/endtoend

.PHONY: bench
bench: export NIGHTSTAND_RIG := 1
bench: export NIGHTSTAND_BINARY := $(CURDIR)/$(PROGRAM)
bench: build ## measure what the promises depend on, each beside its goal
	$(GO) test -p 1 -run '^$$' -bench . -benchtime 5x ./...

## Dependencies

.PHONY: deps
deps: ## install what building, running and testing need
	@.ci/deps $(RUN_PACKAGES) $(TEST_PACKAGES)
	@go=$$(.ci/go --fetch) && echo "Go: $$go"

.PHONY: deps-run
deps-run: ## install only what building and running need
	@.ci/deps $(RUN_PACKAGES)
	@go=$$(.ci/go --fetch) && echo "Go: $$go"

## Help

.PHONY: help
help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
