"""How often properties are tried, and with what."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

quickly = settings(max_examples=100)
thoroughly = settings(max_examples=400)
on_a_database = settings(
    max_examples=12,
    stateful_step_count=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""Each example is some hundred transactions."""

MILLENNIUM = datetime(2000, 1, 1, tzinfo=UTC)
instants = st.timedeltas(timedelta(0), timedelta(days=36_524)).map(lambda since: MILLENNIUM + since)
ids = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    str.strip
)
