# Nightstand: what a person or a machine does with it.
#
#	make            the program, as bin/nightstand
#	make deps       what is missing to build and test, installed where possible
#	make help       everything else
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:

# A Go that is new enough for go.mod, looked for once and only when needed.
# "make GO=/path/to/go" uses another.
GO = $(eval GO := $(or $(shell .ci/go),$(error there is no Go that is new enough, see above)))$(GO)

# Debian packages to build and run: the compiler for the sound engine, the
# library through which it reaches the sound server, and the paging server of
# "make run".
RUN_PACKAGES := gcc libc6-dev make libpulse0 prometheus-alertmanager

# Debian packages for tests: a private desktop with a screen, a window manager,
# a bus, a keyring, notifications, a tray and a speaker; the checker of systemd
# units; and the compiler for the Windows build.
TEST_PACKAGES := \
	xvfb openbox x11-utils scrot fonts-dejavu-core \
	dbus dunst gnome-keyring xfce4-panel \
	pulseaudio pulseaudio-utils \
	systemd gcc-mingw-w64-x86-64

## Build and run

## Test

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
