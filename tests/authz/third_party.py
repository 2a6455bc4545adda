"""Routes of packages whose views cannot carry a ``policy``. Ours must not appear here.

allauth's views are wrapped by ``accounts.policy.requires`` where they are mounted, so that their policy is
enforced and not only written down.
"""

DECLARED: dict[str, dict[str, str]] = {}
