-- Each object gets the owner who answers for it; those that were born get one at once.
ALTER TABLE birth_registry ADD COLUMN owner TEXT;
UPDATE birth_registry SET owner = 'registry team' WHERE state = 'born';
CREATE INDEX objects_of_owner ON birth_registry (owner);
