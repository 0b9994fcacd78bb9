"""``lanebook rehearse``: a rollback rehearsal on a disposable SQLite clone, sealed (spec 5).

The source is read and written down as canonical SQL, the change is tried on a clone, and only then
the programs of :mod:`generator.rehearse.inside` rehearse it in the packet itself, where they can be
run again without lanebook.
"""
