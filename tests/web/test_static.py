"""What is served below /static/: files pages ask for, kept by browsers; nothing they hold already."""

from __future__ import annotations

from typing import Any

from portal.web.static import FOLDER, ICONS, static_url


def test_a_style_sheet_is_served_to_be_kept(client: Any) -> None:
    with client.get(static_url("css/portal.css")) as answer:
        assert (answer.status_code, answer.mimetype) == (200, "text/css")
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_icons_are_drawn_in_pages_and_no_files_of_their_own(client: Any) -> None:
    icon = next((ICONS / "outline").glob("*.svg")).relative_to(FOLDER)
    assert client.get(f"/static/{icon}").status_code == 404
