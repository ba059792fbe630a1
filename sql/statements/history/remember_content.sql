UPDATE ingested_sources
SET inode = :inode,
    size_bytes = :size_bytes,
    changed_ns = :changed_ns,
    byte_offset = :byte_offset,
    fingerprint = :fingerprint
WHERE source_id = :source_id;
