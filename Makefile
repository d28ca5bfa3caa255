# Two commands do everything, each after installing what is missing: make serve, make test.

.PHONY: help serve test build bench soak first

help:
	@echo "make serve   build the page and serve it on http://127.0.0.1:8080/ (PORT=8090 for another port)"
	@echo "make test    the whole suite: formatting, clippy, native, wasm in a browser, the built page"
	@echo "make build   the static site, in dist/"
	@echo "make bench   speed and size"
	@echo "make first   which functions the page needs first, written to scripts/first.txt by watching it open"
	@echo "make soak    random fault schedules, many of them (BROKERLAB_SOAK=200000 for more)"

serve build test bench soak first:
	@bash scripts/$@.sh

export PORT BROKERLAB_SOAK
