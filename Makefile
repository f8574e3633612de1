# The front door: two commands, `make serve` and `make check`. Meson does the work underneath, in build/.

PREFIX  ?= /usr/local
DESTDIR ?=
LISTEN  ?= 127.0.0.1:8080
BUILD   := build

# Debian's meson and python before any other: the packages of packages.txt belong to those.
export PATH := /usr/bin:/bin:$(PATH)

.DEFAULT_GOAL := build/weir
.PHONY: build/weir build serve check check-all check-browser fuzz bench bench-ipc bench-rpc install clean format help packages packages-check packages-bench packages-browser

build/weir: $(BUILD)/build.ninja
	@ninja -C $(BUILD)
	@ln -f $(BUILD)/src/cli/weir $(BUILD)/weir

build: build/weir

# gcc optimizes across all files while it links (clang needs another linker for that).
$(BUILD)/build.ninja:
	meson setup $(BUILD) -Dprefix=$(PREFIX) -Dlibdir=lib -Db_lto=$(if $(findstring clang,$(CC)),false,true)

serve: packages
	@$(MAKE) --no-print-directory build/weir
	@exec $(BUILD)/weir serve site --listen $(LISTEN)

check: packages-check
	@/usr/bin/python3 tests/run

check-all: packages-check packages-browser
	@/usr/bin/python3 tests/run --all

check-browser: packages-check packages-browser
	@/usr/bin/python3 tests/run --only Chromium --browser

fuzz: packages-check
	@/usr/bin/python3 tests/run --only 'build fuzz' >/dev/null && /usr/bin/python3 tests/fuzz/hours.py $(FUZZ)

install: build/weir
	@meson configure $(BUILD) -Dprefix=$(PREFIX) -Dlibdir=lib
	@ninja -C $(BUILD)
	DESTDIR=$(DESTDIR) meson install --no-rebuild -C $(BUILD)

clean:
	rm -rf $(BUILD) $(BUILD)-*

format:
	@find include src tests examples -name '*.[ch]' -exec clang-format -i {} +

help:
	@echo 'make            build $(BUILD)/weir'
	@echo 'make serve      install what is missing, build, serve site/ at http://$(LISTEN)/'
	@echo 'make check      install what is missing, run every test (two models, a smoke test on the others)'
	@echo 'make check-all  the same with every test on all seven models'
	@echo 'make check-browser  pages, films, forms and figures in Chromium (it is skipped where Chromium cannot be had)'
	@echo 'make fuzz       an hour of each fuzz target, added up in docs/fuzz.md (FUZZ=--help)'
	@echo 'make bench      measure against nginx, h2o, lighttpd and bare loops: a quarter of an hour (BENCH=--help)'
	@echo 'make bench-ipc  measure streams between processes against bare calls, nng and ZeroMQ: five minutes (BENCH=--help)'
	@echo 'make bench-rpc  measure calls against bare round trips and C++ gRPC: five minutes (BENCH=--help)'
	@echo 'make install    program, libraries, headers, man pages; PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)'
	@echo 'make format     clang-format on every C file'
	@echo 'make clean      remove build directories'

bench: packages-bench build/weir
	@/usr/bin/python3 tests/bench/bench.py $(BENCH)

bench-ipc: packages-bench build/weir
	@/usr/bin/python3 tests/bench/ipc.py $(BENCH)

bench-rpc: packages-bench build/weir
	@/usr/bin/python3 tests/bench/rpc.py $(BENCH)

# Only what dpkg does not have is installed, so that nothing asks for root when nothing is missing.
packages:
	@sed '/^# to check/,$$d' packages.txt | tests/packages

packages-check:
	@sed '/^# to measure/,$$d' packages.txt | tests/packages

packages-bench:
	@sed '/^# to browse/,$$d' packages.txt | tests/bench/packages

packages-browser:
	@tests/browser/packages
