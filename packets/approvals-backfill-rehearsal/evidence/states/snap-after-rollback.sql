-- encoding UTF-8
-- application_id 0
-- user_version 0
-- schema "CREATE TABLE approvals (\n  approval_id INTEGER PRIMARY KEY AUTOINCREMENT,\n  object_id INTEGER NOT NULL REFERENCES birth_registry (object_id),\n  approver TEXT NOT NULL,\n  weight REAL NOT NULL\n)"
-- schema "CREATE TABLE birth_registry (\n  object_id INTEGER PRIMARY KEY,\n  ref TEXT NOT NULL UNIQUE,\n  label TEXT NOT NULL,\n  state TEXT NOT NULL CHECK (state IN ('proposed', 'born', 'retired'))\n)"
-- schema "CREATE TABLE issues (\n  object_id INTEGER NOT NULL,\n  code TEXT NOT NULL,\n  note TEXT,\n  PRIMARY KEY (object_id, code)\n) WITHOUT ROWID"
-- schema "CREATE INDEX approvals_of_object ON approvals (object_id)"
-- schema "CREATE VIEW born_objects AS SELECT object_id, ref FROM birth_registry WHERE state = 'born'"
-- schema "CREATE TRIGGER approval_closes_issue AFTER INSERT ON approvals\nBEGIN\n  DELETE FROM issues WHERE object_id = NEW.object_id AND code = 'UNAPPROVED';\nEND"
INSERT INTO "approvals" VALUES (1, 1, 'operator', 0.125);
INSERT INTO "approvals" VALUES (2, 2, 'owner', 0.25);
INSERT INTO "approvals" VALUES (3, 3, 'operator', 0.375);
INSERT INTO "approvals" VALUES (4, 4, 'owner', 0.5);
INSERT INTO "approvals" VALUES (5, 5, 'operator', 0.625);
INSERT INTO "approvals" VALUES (6, 6, 'owner', 0.75);
INSERT INTO "approvals" VALUES (7, 7, 'operator', 0.875);
INSERT INTO "approvals" VALUES (8, 8, 'owner', 1.0);
INSERT INTO "approvals" VALUES (9, 9, 'operator', 1.125);
INSERT INTO "approvals" VALUES (10, 10, 'owner', 1.25);
INSERT INTO "approvals" VALUES (11, 11, 'operator', 1.375);
INSERT INTO "approvals" VALUES (12, 12, 'owner', 1.5);
INSERT INTO "birth_registry" VALUES (1, 'OBJ-0001', 'object 1, l''état 1', 'born');
INSERT INTO "birth_registry" VALUES (2, 'OBJ-0002', 'object 2, l''état 2', 'proposed');
INSERT INTO "birth_registry" VALUES (3, 'OBJ-0003', 'object 3, l''état 0', 'born');
INSERT INTO "birth_registry" VALUES (4, 'OBJ-0004', 'object 4, l''état 1', 'retired');
INSERT INTO "birth_registry" VALUES (5, 'OBJ-0005', 'object 5, l''état 2', 'proposed');
INSERT INTO "birth_registry" VALUES (6, 'OBJ-0006', 'object 6, l''état 0', 'born');
INSERT INTO "birth_registry" VALUES (7, 'OBJ-0007', 'object 7, l''état 1', 'born');
INSERT INTO "birth_registry" VALUES (8, 'OBJ-0008', 'object 8, l''état 2', 'proposed');
INSERT INTO "birth_registry" VALUES (9, 'OBJ-0009', 'object 9, l''état 0', 'born');
INSERT INTO "birth_registry" VALUES (10, 'OBJ-0010', 'object 10, l''état 1', 'retired');
INSERT INTO "birth_registry" VALUES (11, 'OBJ-0011', 'object 11, l''état 2', 'proposed');
INSERT INTO "birth_registry" VALUES (12, 'OBJ-0012', 'object 12, l''état 0', 'born');
INSERT INTO "birth_registry" VALUES (13, 'OBJ-0013', 'object 13, l''état 1', 'born');
INSERT INTO "birth_registry" VALUES (14, 'OBJ-0014', 'object 14, l''état 2', 'proposed');
INSERT INTO "birth_registry" VALUES (15, 'OBJ-0015', 'object 15, l''état 0', 'born');
INSERT INTO "birth_registry" VALUES (16, 'OBJ-0016', 'object 16, l''état 1', 'retired');
INSERT INTO "birth_registry" VALUES (17, 'OBJ-0017', 'object 17, l''état 2', 'proposed');
INSERT INTO "birth_registry" VALUES (18, 'OBJ-0018', 'object 18, l''état 0', 'born');
INSERT INTO "birth_registry" VALUES (19, 'OBJ-0019', 'object 19, l''état 1', 'born');
INSERT INTO "birth_registry" VALUES (20, 'OBJ-0020', 'object 20, l''état 2', 'proposed');
INSERT INTO "birth_registry" VALUES (21, 'OBJ-0021', 'object 21, l''état 0', 'born');
INSERT INTO "birth_registry" VALUES (22, 'OBJ-0022', 'object 22, l''état 1', 'retired');
INSERT INTO "birth_registry" VALUES (23, 'OBJ-0023', 'object 23, l''état 2', 'proposed');
INSERT INTO "birth_registry" VALUES (24, 'OBJ-0024', 'object 24, l''état 0', 'born');
INSERT INTO "issues" VALUES (13, 'UNAPPROVED', NULL);
INSERT INTO "issues" VALUES (14, 'UNAPPROVED', 'waits for the owner');
INSERT INTO "issues" VALUES (15, 'UNAPPROVED', NULL);
INSERT INTO "issues" VALUES (16, 'UNAPPROVED', 'waits for the owner');
INSERT INTO "issues" VALUES (17, 'UNAPPROVED', NULL);
INSERT INTO "issues" VALUES (18, 'UNAPPROVED', 'waits for the owner');
INSERT INTO "sqlite_sequence" VALUES ('approvals', 12);
