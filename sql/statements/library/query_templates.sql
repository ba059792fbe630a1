-- Templates by conditions on their columns, newest first. A condition that was not given is NULL and holds of everything.
SELECT *
FROM v_templates
WHERE (:pattern_name_in::text[] IS NULL OR pattern_name = ANY (:pattern_name_in::text[]))
  AND (:pattern_name_like::text IS NULL OR pattern_name ILIKE :pattern_name_like::text
       AND name_trigrams(pattern_name) @> name_trigrams(:pattern_name_part::text))
  AND (:pattern_type_in::text[] IS NULL OR pattern_type = ANY (:pattern_type_in::text[]))
  AND (:pattern_type_like::text IS NULL OR pattern_type ILIKE :pattern_type_like::text)
  AND (:language_in::text[] IS NULL OR language = ANY (:language_in::text[]))
  AND (:language_like::text IS NULL OR language ILIKE :language_like::text)
  AND (:category_in::text[] IS NULL OR category = ANY (:category_in::text[]))
  AND (:category_like::text IS NULL OR category ILIKE :category_like::text)
  AND (:source_in::text[] IS NULL OR source = ANY (:source_in::text[]))
  AND (:source_like::text IS NULL OR source ILIKE :source_like::text)
  AND (:created_by_in::text[] IS NULL OR created_by = ANY (:created_by_in::text[]))
  AND (:created_by_like::text IS NULL OR created_by ILIKE :created_by_like::text)
  AND (:confidence_score_range::numrange IS NULL OR confidence_score <@ :confidence_score_range::numrange)
  AND (:usage_count_range::numrange IS NULL OR usage_count::numeric <@ :usage_count_range::numrange)
  AND (:success_rate_range::numrange IS NULL OR success_rate <@ :success_rate_range::numrange)
  AND (:complexity_score_range::numrange IS NULL OR complexity_score::numeric <@ :complexity_score_range::numrange)
  AND (:created_at_from::timestamptz IS NULL OR created_at >= :created_at_from::timestamptz)
  AND (:created_at_before::timestamptz IS NULL OR created_at < :created_at_before::timestamptz)
  AND (:last_used_at_from::timestamptz IS NULL OR last_used_at >= :last_used_at_from::timestamptz)
  AND (:last_used_at_before::timestamptz IS NULL OR last_used_at < :last_used_at_before::timestamptz)
  AND (:is_deprecated::boolean IS NULL OR is_deprecated = :is_deprecated::boolean)
  AND (:tags::text[] IS NULL OR tags @> :tags::text[])
ORDER BY created_at DESC, id
LIMIT :limit OFFSET :offset
