"""Doctors, their specialties and the clinics they practise at."""
