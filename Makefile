# SPDX-License-Identifier: MIT
# Meson builds; this file gives what people do here its names. `./run VERB` installs what is
# missing first. A line `target: ## text` is shown by `make help`.

BUILD ?= build
PYTHON ?= /usr/bin/python3
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
ARGS ?=

NINJA = ninja -j $(JOBS)
MESON_FLAGS ?=
# A folder that was set up before cmocka was there (./run demo) is set up again with the tests.
WITH_TESTS = grep -qs '^tests = enabled' $(1)/meson-private/cmd_line.txt || \
	meson setup --reconfigure $(1) -Dtests=enabled
PYTEST = $(PYTHON) -m pytest -p no:cacheprovider

export PYTHONDONTWRITEBYTECODE = 1

.DEFAULT_GOAL := all
.PHONY: all build build-tests build-asan build-tsan build-clang demo test test-unit test-server test-long test-bare \
	postgres check lint format fuzz bench golden-update install clean distclean help

all: build

build: ## compile build/pgdeck
build: $(BUILD)/build.ninja
	$(NINJA) -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD) --prefix $(PREFIX) $(MESON_FLAGS)

build-tests: $(BUILD)/build.ninja
	@$(call WITH_TESTS,$(BUILD))
	$(NINJA) -C $(BUILD)

build-asan: build-asan/build.ninja
	$(NINJA) -C build-asan

build-asan/build.ninja:
	meson setup build-asan $(MESON_FLAGS) -Dtests=enabled -Db_sanitize=address,undefined \
		-Dwerror=false # gcc warns of what the sanitizers add

build-tsan: build-tsan/build.ninja
	$(NINJA) -C build-tsan pgdeck

build-tsan/build.ninja:
	meson setup build-tsan $(MESON_FLAGS) -Db_sanitize=thread -Dwerror=false # as build-asan

build-clang: build-clang/build.ninja
	$(NINJA) -C build-clang

build-clang/build.ninja:
	CC=clang-14 meson setup build-clang -Dwerror=true -Dtests=enabled $(MESON_FLAGS)

demo: ## build, then show the whole thing on a private PostgreSQL (ARGS=--keep: leave it running)
demo: build
	$(BUILD)/pgdeck demo $(ARGS)

test: ## all tests at small size: unit, golden, server (PostgreSQL 15 and 18), ASan
test: build-tests build-asan postgres
	$(PYTHON) tools/suites test

test-unit: ## unit and golden tests
test-unit: build-tests
	meson test -C $(BUILD) --print-errorlogs $(ARGS)

test-server: ## tests on real servers (ARGS: pytest's, such as ARGS='-k plan --pg 15')
test-server: build postgres
	$(PYTEST) tests/server $(ARGS)

test-long: ## everything at full size, all sanitizer builds, all PostgreSQL versions
test-long: build-tests build-asan build-tsan build-clang
	tools/fetch-postgres all
	$(PYTHON) tools/suites test-long

test-bare: ## ./run demo in a bare Debian 12 root of its own (root only; ARGS: another command)
test-bare:
	tools/bare-debian $(ARGS)

postgres:
	tools/fetch-postgres 18

check: ## static checks: format, sizes and layers, clang-tidy, cppcheck, shellcheck
check: build build-clang
	$(PYTHON) tools/suites check

lint: check

format: ## format the C sources in place
	find src tests -name '*.[ch]' | xargs clang-format-14 -i

fuzz: ## run each fuzzer for SECONDS=60
	tools/fuzz $(or $(SECONDS),60)

bench: ## speed against psql, pg_dump and PgBouncer, as ratios; what advice and partitions are worth
bench: build
	$(PYTHON) tests/perf/run --pgdeck $(BUILD)/pgdeck $(ARGS)
	$(PYTHON) tests/perf/advise/run --pgdeck $(BUILD)/pgdeck
	$(PYTHON) tests/perf/partitions/run --pgdeck $(BUILD)/pgdeck
	$(PYTHON) tests/perf/maintenance/run --pgdeck $(BUILD)/pgdeck
	$(PYTHON) tests/perf/dashboard/run --pgdeck $(BUILD)/pgdeck
	$(PYTHON) tests/perf/pool/run --pgdeck $(BUILD)/pgdeck
	$(PYTHON) tests/perf/watch/run --pgdeck $(BUILD)/pgdeck
	$(PYTHON) tests/perf/bench/run --pgdeck $(BUILD)/pgdeck
	$(PYTHON) tests/perf/bench/memory --pgdeck $(BUILD)/pgdeck --minutes 2
	meson test -C $(BUILD) --benchmark --verbose
	$(PYTHON) tests/perf/bench/verdicts --pgdeck $(BUILD)/pgdeck
	$(PYTHON) tests/perf/bench/page --pgdeck $(BUILD)/pgdeck

golden-update: ## rewrite the golden files from what the program says now
golden-update: build-tests
	GOLDEN_UPDATE=1 meson test -C $(BUILD) --suite golden --print-errorlogs

install: ## install under PREFIX=/usr/local (DESTDIR is heeded)
install: build
	meson install -C $(BUILD) --no-rebuild

clean: ## remove what was built
	rm -rf $(BUILD) build-asan build-clang build-tsan build-fuzz

distclean: ## remove what was built and downloaded
distclean: clean
	rm -rf .cache

help: ## this list
	@sed -n 's/^\([a-z-]*\): ## /\1\t/p' Makefile | expand -t 16
