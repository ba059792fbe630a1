INSERT INTO signatures (signature)
SELECT signature FROM stage_signatures
ON CONFLICT DO NOTHING
