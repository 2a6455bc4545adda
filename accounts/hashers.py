"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with OWASP's smaller profile: 19 MiB, two passes, one lane.

    Django's default takes 100 MiB and 180 ms a hash, so that fifty people signing in at nine o'clock would
    stop a small machine; this one takes 19 MiB and about 40 ms. The ``algorithm`` stays ``argon2``: a stored
    hash of other cost is verified and replaced at the next sign-in.
    """

    time_cost = 2
    memory_cost = 19456
    parallelism = 1
