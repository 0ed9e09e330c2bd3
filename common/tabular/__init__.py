"""What is the same for every table that people upload: its limits, and XLSX parsed in a process of its own."""
