-- dataset_duplicate_ids(photos)
--
-- What    rows that share their photo_id with another row.
-- Grain   one row an offending row, all its columns, with copies: rows of that id.
-- Units   rows.
-- Input   photos: name of a relation, as text, with photo_id.
-- Example FROM dataset_duplicate_ids('dedupe');
CREATE OR REPLACE MACRO dataset_duplicate_ids(photos) AS TABLE (
    SELECT
        *,
        count(*) OVER (PARTITION BY photo_id) AS copies
    FROM query_table(photos)
    WHERE photo_id IS NOT NULL
    QUALIFY copies > 1
    ORDER BY photo_id
);
