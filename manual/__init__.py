"""The site of the documents: what of it is written by programs, and how the pages come together."""
