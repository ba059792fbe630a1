-- Evaluations of checks that a newer one of the same check replaced.
DELETE FROM asset_check_executions AS old
WHERE old.create_timestamp < :before
  AND EXISTS (SELECT FROM asset_check_executions AS newer
              WHERE newer.asset_key = old.asset_key AND newer.check_name = old.check_name
                AND newer.partition IS NOT DISTINCT FROM old.partition AND newer.id > old.id);
