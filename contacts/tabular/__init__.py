"""Tables as people upload them: CSV in any of the usual encodings, XLSX. Plain Python, no framework."""
