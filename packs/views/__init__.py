"""Pages of the methodology: reading it, installing it, setting one's own values, trying calendars."""
