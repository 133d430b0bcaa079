"""The shell: HTTP, queue, database, hospitals, pages and command line."""
