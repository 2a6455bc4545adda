"""Documents: HTML over frozen data, rendered to PDF in the background and kept with what it was made from."""
