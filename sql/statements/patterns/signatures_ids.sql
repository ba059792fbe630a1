SELECT d.signature, d.signature_id FROM signatures d JOIN stage_signatures USING (signature)
