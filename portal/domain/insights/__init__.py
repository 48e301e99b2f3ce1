"""Figures for dashboards; reads only."""
