SELECT elements, workflows, days FROM sequence_catalog WHERE signature = :signature
