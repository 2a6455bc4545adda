"""Mail as bytes: read, judged, made safe. Pure; ``support.actions.mailroom`` decides with it."""
