"""Hold the PDF of a paper that Flagstone did not make against a folder of results."""
