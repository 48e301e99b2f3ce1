"""What a browser calls itself, in words a person recognises."""

from __future__ import annotations

from portal.core.text import gettext as say

# In this order: each also claims to be those that follow.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def describe(user_agent: str | None) -> tuple[str, str]:
    """Words such as "Firefox on Android", and the icon of the kind of device."""
    said = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in said), "")
    system = next((name for mark, name in _SYSTEMS if mark in said), "")
    icon = (
        "device-mobile" if system in {"Android", "iPhone"} else "device-tablet" if system == "iPad" else "device-laptop"
    )
    if browser and system:
        return say("%(browser)s on %(system)s", browser=browser, system=system), icon
    return browser or system or say("An unknown browser"), icon
