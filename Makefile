# Two commands on a fresh machine: make demo, make test. Needed: Python 3.11 or newer (with venv), and make.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN = .venv/bin
DEMO ?= demo
WORKERS ?= 2

.PHONY: demo test lint format bench bench-audience bench-sending soak lock clean

demo: .venv/ready
	@$(BIN)/newsletter demo --dir $(DEMO)

test: .venv/ready
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal $(TESTS)

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/ready
	$(BIN)/python bench/road.py
	$(BIN)/python bench/message.py
	$(BIN)/python bench/rendering.py

# At a million subscribers, on both databases: some twenty minutes, and 6 GB in the folder for temporary files.
bench-audience: .venv/ready
	$(BIN)/python bench/segments.py
	$(BIN)/python bench/planning.py
	$(BIN)/python bench/imports.py

# Into real servers on this machine, beside Postfix's smtp-source, aiosmtplib and nodemailer: most of an hour.
bench-sending: .venv/ready
	$(BIN)/python bench/sending.py
	$(BIN)/python bench/sending.py --on postgresql
	$(BIN)/python bench/sending.py --dkim
	$(BIN)/python bench/latency.py
	$(BIN)/python bench/scale.py

# Kills the sender sixty times on the way to 60,000 readers, and counts who got nothing and who got two.
soak: .venv/ready
	$(BIN)/python bench/soak.py
	$(BIN)/python bench/soak.py --hold

# The lock is whole, so pip need look for nothing: before 23.3 it warned of an extra whose name has an underscore.
.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer on the PATH; install one and run make again" >&2; exit 1; }
	@echo "setting up .venv with $$($(PYTHON) --version), once" >&2
	@$(PYTHON) -m venv .venv || { echo "error: this Python cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The lock has names, versions and hashes for every platform, and no addresses.
lock: .venv/ready
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 --extra dev pyproject.toml --output-file requirements.lock

clean:
	rm -rf .venv demo dist build .pytest_cache .mypy_cache .ruff_cache
