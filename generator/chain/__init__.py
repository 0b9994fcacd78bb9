"""The lanes as a chain: the record of each, and what each says that others can be held against.

``said`` reads one lane alone, in whichever process looks at it; ``record`` makes the value whose
hash stands for a lane and all before it; ``walk`` goes along the lanes in their order and shows
each to the rules of :mod:`generator.rules.over_chain` together with what was known before it.
"""
