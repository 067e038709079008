"""The command line: starts the processes and joins the rooms."""
