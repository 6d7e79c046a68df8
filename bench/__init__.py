"""Measurements that compare ways of doing the same work within one run."""
