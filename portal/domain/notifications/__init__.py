"""Telling people what happened: one function per notice, one task per delivery."""
