"""The words that mappings use (`words`), what a word is (`word`), and what several share: notation, spelling, times, money, keys, what is lost."""
