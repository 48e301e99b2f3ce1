"""What the documents tell people to type, typed: a system administrator's path from an empty host to a restored backup.

The commands of docs/OPERATIONS.md run in one shell, in their order and as they stand, against Debian's PostgreSQL, a
Redis and an nginx. Folders of the system lie under a temporary one, ports are free ones, and a few programs do what a
test may do of what they do on a host (tests/operations/host.py). PATHS=whole installs the packages too, instead of
taking those of this checkout.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mail_server import mail_server
from tests.operations import host
from tests.rules.source import ROOT

pytestmark = [pytest.mark.drill("From an empty host to a restored backup"), pytest.mark.xdist_group("documented-paths")]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
SIGN_IN = re.compile(r"^Sign in at (\S+) as (\S+) with (\S+)$", re.M)


def blocks(document: str, *headings: str) -> list[str]:
    """The shell blocks below these headings of a document, in its order."""
    parts = re.split(r"^(?=## )", (ROOT / document).read_text(), flags=re.M)
    return [block for part in parts if part.splitlines()[0][3:] in headings for block in BLOCK.findall(part)]


@pytest.fixture
def empty_host(tmp_path: Path) -> Iterator[host.Host]:
    if not (missing := host.missing()):
        with mail_server() as (address, _), host.standing(tmp_path, mail=address) as it:
            yield it
    else:
        pytest.skip(f"{missing} is not installed (Debian: postgresql, nginx-light).")


def test_the_path_of_operations_leads_from_an_empty_host_to_a_restored_backup(empty_host: host.Host) -> None:
    installed = empty_host.type(blocks("docs/OPERATIONS.md", "Install on one host"))
    found = SIGN_IN.search(installed)
    assert found, installed
    address, name, password = found.groups()
    assert "FAIL" not in installed and '"status":"ok"' in installed.replace(" ", "")
    assert empty_host.signs_in(address, name, password)
    assert password not in (empty_host.root / "etc/portal/release.env").read_text()

    restored = empty_host.type(blocks("docs/OPERATIONS.md", "Backup and restore"))
    assert "FAIL" not in restored
    assert empty_host.signs_in(address, name, password)


def test_every_unit_runs_what_the_documents_name(tmp_path: Path) -> None:
    table = (ROOT / "docs/OPERATIONS.md").read_text()
    for unit in sorted((ROOT / "deploy/systemd").glob("*.service")):
        command = re.search(r"^ExecStart=\S+/python (-m portal \w+)$", unit.read_text(), re.M)
        assert command and f"`python {command[1]}`" in table, unit.name


def test_every_chapter_that_a_file_names_is_there() -> None:
    chapters = set(re.findall(r"^##+ (.+)$", (ROOT / "docs/OPERATIONS.md").read_text(), re.M))
    files = [path for folder in ("deploy", "portal", "migrations") for path in (ROOT / folder).rglob("*.*")]
    named = {}
    for path in [*files, ROOT / "README.md", ROOT / ".env.example"]:
        if path.is_file() and "__pycache__" not in path.parts:
            for line in path.read_text(errors="replace").splitlines():
                after = line.partition("OPERATIONS.md")[2]
                named |= dict.fromkeys(re.findall(r'"([A-Z][^"]+)"', after), path.name)
    assert {"Sizing", "Install on one host", "A new version"} <= set(named)
    assert {chapter: where for chapter, where in named.items() if chapter not in chapters} == {}


def test_every_command_that_the_readme_names_is_a_target() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed.")
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {
        one
        for page in ("README.md", "docs/CONTRIBUTING.md", "docs/OPERATIONS.md", "docs/QUALITY.md")
        for one in re.findall(r"\bmake ([a-z-]+)\b(?=[`\s]*(?:#|`|$))", (ROOT / page).read_text(), re.M)
    }
    assert {"run", "test"} <= named <= made
