-- dataset_null_country(labelled)
--
-- What    labelled rows on land without a country: `match` says inside or nearest, or nothing at
--         all, and the country is NULL. Open sea (none) and bad coordinates (invalid) are no fault.
-- Grain   one row an offending row, all its columns.
-- Units   degrees.
-- Input   labelled: name of a relation, as text, with country, country_code and match.
-- Example FROM dataset_null_country('labelled');
CREATE OR REPLACE MACRO dataset_null_country(labelled) AS TABLE (
    SELECT *
    FROM query_table(labelled)
    WHERE
        match IS NULL
        OR (match IN ('inside', 'nearest') AND (country IS NULL OR country_code IS NULL))
);
