"""What changed between two lanes, or two states of one, in meaning and not in lines.

``portrait`` says of one lane what can be compared, ``difference`` compares two portraits and knows
nothing of lanes, ``patch`` writes one as a patch of the other.
"""
