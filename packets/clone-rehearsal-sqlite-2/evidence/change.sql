-- Three statements: one approval, one withdrawal, one new index.
UPDATE birth_registry SET state = 'born', approved_by = 'owner' WHERE object_id = 3;
DELETE FROM birth_registry WHERE object_id = 5;
CREATE INDEX birth_registry_label ON birth_registry (label);
