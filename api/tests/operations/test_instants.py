"""There is one clock: what a command prints, every command takes, in every time zone."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from bson import Timestamp

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.instants import parse, show

MOMENT = datetime(2026, 11, 25, 14, 3, 7, tzinfo=UTC)
TS = Timestamp(int(MOMENT.timestamp()), 338)


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/New_York", "Asia/Kathmandu"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Move this machine to a time zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25 14:03:07 UTC",
        "2026-11-25 14:03:07.000 UTC",
        "2026-11-25T14:03:07",
        "2026-11-25 14:03:07",
        " 2026-11-25T14:03:07Z ",
        "2026-11-25T14:03:07.000000Z",
        "2026-11-25T23:03:07+09:00",
        "2026-11-25 09:03:07-05:00",
        "20261125T140307Z",
        "2026-11-25 14:03:07 GMT",
    ],
)
@pytest.mark.usefixtures("zone")
def test_time_without_a_zone_is_utc_on_every_machine(text: str) -> None:
    assert parse(text).moment == MOMENT
    assert str(parse(text)) == "2026-11-25 14:03:07 UTC"


@pytest.mark.parametrize(
    "text",
    [
        show(TS),
        f"{TS.time}:338",
        f"({TS.time}:338)",
        f"{TS.time},338",
        f"2026-11-25 14:03:07.120 UTC  {TS.time}:338   ",
    ],
)
@pytest.mark.usefixtures("zone")
def test_printed_instant_is_taken(text: str) -> None:
    assert parse(text).ts == TS
    assert str(parse(text)) == show(TS)


@pytest.mark.parametrize("text", ["2026-03-08 02:30:00", "2026-11-01 01:30:00"])
@pytest.mark.usefixtures("zone")
def test_hour_that_a_zone_skips_or_repeats_is_one_instant(text: str) -> None:
    assert str(parse(text)) == f"{text} UTC"


def test_instant_is_told_in_local_time_too(zone: str) -> None:
    local = {
        "UTC": "2026-11-25 14:03:07 UTC (UTC+0000)",
        "Asia/Tokyo": "2026-11-25 23:03:07 JST (UTC+0900)",
        "America/New_York": "2026-11-25 09:03:07 EST (UTC-0500)",
        "Asia/Kathmandu": "2026-11-25 19:48:07 +0545 (UTC+0545)",
    }
    assert parse(show(TS)).in_local_time() == parse("2026-11-25T14:03:07").in_local_time() == local[zone]


@pytest.mark.parametrize(
    "text", ["", "yesterday", "14:03", "2026-11-25 14:03:07 JST", "2026-13-01", "1:2:3", "99999999999:1"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(OperatorError, match="neither a time"):
        parse(text)
