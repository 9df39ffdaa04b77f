"""Names of databases that a person gives are checked before anything is asked of MongoDB."""

import pytest

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.names import check_database_name


@pytest.mark.parametrize("name", ["", "two words", "a.b", "a/b", "a\\b", "$where", 'a"b', "a\0b", "x" * 64, "é" * 32])
def test_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(OperatorError, match="is not a valid name of a database"):
        check_database_name(name)


@pytest.mark.parametrize("name", ["admin", "config", "local"])
def test_database_of_mongodb_itself_is_refused(name: str) -> None:
    with pytest.raises(OperatorError, match="belongs to MongoDB itself"):
        check_database_name(name)


@pytest.mark.parametrize("name", ["other", "rehearsal-2026_12", "x" * 63, "База"])
def test_valid_name_is_taken(name: str) -> None:
    check_database_name(name)
