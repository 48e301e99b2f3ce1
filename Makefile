# What people type. Each target does its own set-up; a second time that takes a second.
PYTHON ?= python3
VENV := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test check fmt fuzz drill bench pictures setup setup-dev setup-drill pins

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: setup ## start the demo on http://127.0.0.1:8000 (PORT and PORTAL_DATA change the place)
	@$(VENV)/python -m portal.run_all --with-parent

test: check ## every check and every test
	@$(VENV)/python -m pytest -n 2 --dist loadgroup --ignore=tests/bench

check: setup-dev ## style, types, layers, templates, security
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy
	$(VENV)/lint-imports
	$(VENV)/djlint templates --lint --quiet
	$(VENV)/python -m portal.translations --check
	$(VENV)/bandit -q -ll -c pyproject.toml -r portal

fmt: setup-dev ## write everything in the house style
	$(VENV)/ruff check --fix --exit-zero .
	$(VENV)/ruff format .

fuzz: setup-dev ## have a generator try the whole API for longer, from other seeds
	$(VENV)/python -m pytest tests/api/test_generator.py -n 2 --seeds $(shell date +%j),7,11 --examples 25

drill: setup-drill ## let real processes die, be exchanged and be told wrong things, and print what was seen (15 minutes)
	@$(VENV)/python -m tests.drill

bench: setup-dev ## measure; never part of a pass or fail
	@$(VENV)/python -m tests.bench

pictures: setup-dev ## take the README's pictures of a fresh demo
	@$(VENV)/python -m tests.pictures

pins: setup-dev ## read requirements*.in and pin what they mean today
	$(VENV)/uv pip compile -q --upgrade --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links requirements.in -o requirements.txt
	$(VENV)/uv pip compile -q --upgrade --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links -c requirements.txt requirements-dev.in -o requirements-dev.txt
	npm install --package-lock-only --ignore-scripts
	sed -i '/"resolved":/d' package-lock.json

setup:
	@$(PYTHON) deploy/setup.py

setup-dev:
	@$(PYTHON) deploy/setup.py dev

setup-drill: setup-dev
	@$(PYTHON) deploy/setup.py drill
