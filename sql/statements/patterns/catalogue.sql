SELECT signature, kind, elements, readable, workflows::bigint AS workflows, days::bigint AS days, automatable,
       exclusion_reason
FROM sequence_catalog
ORDER BY signature
