SELECT * FROM v_operation_latency ORDER BY operation
