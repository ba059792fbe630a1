-- From better to worse; the best have nothing above them.
SELECT DISTINCT rank FROM shared_runs ORDER BY rank DESC OFFSET 1;
