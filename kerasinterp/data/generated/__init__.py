"""Datasets that are made here: nothing is downloaded, and what lies between two of their images is often known."""
