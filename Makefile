# Everything a reader, a student or a lecturer needs; `make` alone says what there is.
# PYTHON chooses the interpreter that .venv is made from, PORT the port of `make serve`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PORT ?= 8000
BIN := .venv/bin
READY := .venv/ready
HTML := _build/html

.DEFAULT_GOAL := help
.PHONY: help book frameworks frameworks-outputs pdf bench test lint test-code test-course lab serve clean

help:  ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

book: $(READY)  ## Build the book into _build/html
	@rm -rf $(HTML)
	@$(BIN)/jupyter-book build . --all -W -n --keep-going
	@echo "The book is ready: open $(HTML)/index.html"

frameworks: $(READY)  ## Set up MXNet, TensorFlow and JAX (or one: FRAMEWORK=jax)
	@$(BIN)/python frameworks/set_up.py $(FRAMEWORK)

frameworks-outputs: $(READY)  ## Save what their chapters showed in the last build
	@$(BIN)/python book/save_outputs.py

pdf: $(READY)  ## Print the whole course to _build/course.pdf (needs Chromium or Chrome)
	@$(BIN)/jupyter-book build . --builder singlehtml -W -n --keep-going
	@cp _build/singlehtml/chapters/intro.html _build/singlehtml/course.html  # its links start here
	@$(BIN)/python book/print_pdf.py _build/singlehtml/course.html _build/course.pdf

bench: $(READY)  ## Measure every method side by side (QUICK=1: under a minute)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

test: lint test-code test-course  ## Run every check and every test
	@echo "All checks and tests passed."

lint: $(READY)  ## Check the code's style
	@$(call timed,$(BIN)/ruff check .)

test-code: frameworks  ## Test the library, and the frameworks that run on this machine
	@$(call timed,$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder tests/frameworks tests/library)

test-course: frameworks  ## Run every chapter as a notebook; build the book and test it in a browser
	@$(call timed,$(BIN)/pytest -n 2 --dist worksteal tests/book tests/chapters)

lab: $(READY)  ## Open the chapters in JupyterLab
	@$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) \
		--LabApp.app_settings_dir=$(CURDIR)/book/lab --notebook-dir=chapters

serve: book  ## Build the book and serve it at http://127.0.0.1:8000
	@echo "Serving at http://127.0.0.1:$(PORT) (Ctrl-C stops it)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory $(HTML)

clean:  ## Remove what was built, .venv and the like too
	rm -rf _build .venv .venv-* .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

# Each part says how long it took, whether it passed or not.
timed = start=$$(date +%s); $(1); status=$$?; \
	echo "$@: $$(($$(date +%s) - start)) s"; exit $$status

# The stamp is written last, so that a set-up that was interrupted starts anew.
$(READY): requirements.txt constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=..." >&2; exit 1; }
	@echo "Setting up .venv with $$($(PYTHON) --version); this takes a few minutes once."
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --disable-pip-version-check -r requirements.txt -c constraints.txt
	@$(BIN)/pip install --disable-pip-version-check --no-deps -e .
	@$(BIN)/python book/browser.py
	@touch $@
