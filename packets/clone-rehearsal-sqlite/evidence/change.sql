-- One birth: a new row.
INSERT INTO birth_registry VALUES (4, 'OBJ-0004', 'fourth object', 'born', 'owner');
