"""Raw text to hub events: a file's layout is recognised (`recognition`, by `looks`), its lines are read (`reader`) by the kernel (`kernel_reader`) or the reference (`careful`)."""
