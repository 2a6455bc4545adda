"""Forms of the support desk."""
