"""Patients and what a clinic must know about them."""
