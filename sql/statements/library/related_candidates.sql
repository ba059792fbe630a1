-- What relationships are found among: the most used templates in force, with the steps of sequences.
SELECT id::text AS id, pattern_type, left(template_code, 2000) AS template_code,
       CASE WHEN pattern_type = 'sequence' THEN
           ARRAY(SELECT step ->> 'code' FROM jsonb_array_elements(
               CASE jsonb_typeof(context -> 'steps') WHEN 'array' THEN context -> 'steps' ELSE '[]' END) AS step) END AS steps
FROM pattern_templates
WHERE NOT is_deprecated
ORDER BY template_rank(usage_count, success_rate) DESC, id
LIMIT :limit
