"""How many examples a property test has.

The profiles stand in tests/conftest.py: `quick` has 25, the same ones on every machine; `proof` has 100 and `table`
1,000, new ones in every run.
"""

from hypothesis import settings


def costly(share: float) -> settings:
    """The settings of a property whose examples take long: this share of the profile's."""
    return settings(max_examples=max(2, round(settings().max_examples * share)))
