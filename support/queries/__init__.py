"""Reading the support desk."""
