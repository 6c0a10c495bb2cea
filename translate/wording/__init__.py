"""How things are said to the user: tables, widths, arguments that are refused, and what was meant by a word."""
