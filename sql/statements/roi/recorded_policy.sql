SELECT policy -> 'roi' FROM policy_versions WHERE stage = 'roi' AND version = :version
