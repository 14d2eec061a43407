"""Puts the reports of several models side by side."""
