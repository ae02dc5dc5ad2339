"""One module per verb of the command line, each imported only when it is used."""
