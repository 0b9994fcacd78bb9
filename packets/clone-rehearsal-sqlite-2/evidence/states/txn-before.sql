CREATE TABLE birth_registry (
  object_id INTEGER PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  label TEXT NOT NULL,
  state TEXT NOT NULL,
  approved_by TEXT
);
CREATE INDEX birth_registry_state ON birth_registry (state);
INSERT INTO birth_registry VALUES (1, 'OBJ-0001', 'first object', 'born', 'owner');
INSERT INTO birth_registry VALUES (2, 'OBJ-0002', 'registre d''état', 'born', 'owner');
INSERT INTO birth_registry VALUES (3, 'OBJ-0003', 'third object', 'proposed', NULL);
INSERT INTO birth_registry VALUES (4, 'OBJ-0004', 'fourth object', 'born', 'owner');
INSERT INTO birth_registry VALUES (5, 'OBJ-0005', 'fifth object', 'proposed', NULL);
