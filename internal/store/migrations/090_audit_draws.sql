-- A draw chooses among all finished reviews that its arguments name, those drawn
-- before too, so that the same arguments over the same reviews choose the same. A
-- review that several samples chose is one case: it is coded again once, as often as
-- the sample wants that drew it first (audit_cases.sample_id).

ALTER TABLE audit_samples ADD COLUMN coders text[] COLLATE "C" NOT NULL DEFAULT '{}'; -- who finished the reviews; empty: anybody

CREATE TABLE audit_sample_cases (
  sample_id bigint NOT NULL REFERENCES audit_samples,
  case_id   bigint NOT NULL REFERENCES audit_cases,
  PRIMARY KEY (sample_id, case_id)
);
CREATE INDEX audit_sample_cases_case ON audit_sample_cases (case_id);
INSERT INTO audit_sample_cases SELECT sample_id, id FROM audit_cases;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_sample_cases
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What is said beside a code, as present on admission and units, can be found wrong too.
ALTER TABLE finding_answers DROP CONSTRAINT finding_answers_kind_check,
  ADD CONSTRAINT finding_answers_kind_check CHECK (kind IN ('wrong', 'missed', 'first', 'detail'));

-- Coders' own recodings and practice are looked up by who did them.
CREATE INDEX recodings_coder ON recodings (coder);

INSERT INTO app_rights (object, rights) VALUES ('TABLE audit_sample_cases', 'SELECT, INSERT');
