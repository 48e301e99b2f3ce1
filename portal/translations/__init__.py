"""The catalogues of the portal's sentences, and what keeps them whole: `python -m portal.translations`."""
