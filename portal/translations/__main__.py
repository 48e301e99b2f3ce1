"""Bring the catalogues up to date with code and templates, and say what is still to be translated.

`python -m portal.translations` writes portal/translations/<language>/LC_MESSAGES/messages.po and ends with 1 when
something is missing; `--check` writes nothing.
"""

from __future__ import annotations

import sys

from portal.translations import catalogue


def main(arguments: list[str]) -> int:
    """Update or check every catalogue; returns the exit code."""
    source, missing = catalogue.extract(), 0
    for language in catalogue.LANGUAGES:
        if "--check" not in arguments:
            catalogue.update(language, source)
        wrong = list(catalogue.faults(language, source))
        missing += len(wrong)
        sys.stdout.write(f"{language}: {len(source)} sentences, {len(wrong)} to look at\n")
        sys.stdout.writelines(f"  {line}\n" for line in wrong)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
