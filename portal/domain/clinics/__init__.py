"""Clinics and who works in them."""
