"""Walks with texts, addresses and headers that were made to break something, over HTTP through the whole application.

With ``--hypothesis-profile=exploring`` they are ten times as long, and others each time.
"""
