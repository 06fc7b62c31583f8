"""What the tests of this room share."""

from hypothesis import HealthCheck, settings

# A machine under load is slow, and that is no finding.
settings.register_profile("delivery", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("delivery")
