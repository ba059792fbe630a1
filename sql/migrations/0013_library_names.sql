-- The words of a name, kept: made anew for each of the many templates that a common word leads past, they cost most of a search.
DROP INDEX idx_pattern_templates_name_words;
ALTER TABLE pattern_templates
    ADD COLUMN name_words tsvector GENERATED ALWAYS AS (template_words(pattern_name, NULL, '')) STORED;
CREATE INDEX idx_pattern_templates_name_words ON pattern_templates USING gin (name_words) WITH (fastupdate = off);
-- Without statistics the planner takes a word that is in no name for a common one.
ANALYZE pattern_templates;
