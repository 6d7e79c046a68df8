"""What the tests of the repositories share."""

from tests.fixtures.repositories import ann, bob, emptied_database, module_database, repositories

__all__ = ["ann", "bob", "emptied_database", "module_database", "repositories"]
