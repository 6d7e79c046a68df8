"""Walks with texts, addresses and headers that were made to break something, over HTTP through the whole application.

``pytest tests/web/hostile`` tries the same inputs every time; with ``--hypothesis-profile=exploring`` others each time,
and ten times as many.
"""
