-- dataset_duplicate_ids(photos)
--
-- What    rows that share their photo_id with another row.
-- Grain   one row an offending row, all its columns, with copies: rows of that id.
-- Units   rows.
-- Input   photos: name of a relation, as text, with photo_id.
-- Example FROM dataset_duplicate_ids('dedupe');
CREATE OR REPLACE MACRO dataset_duplicate_ids(photos) AS TABLE (
    -- ids are counted alone first: a window would carry every column of every row
    WITH repeated AS (
        SELECT
            photo_id,
            count(*) AS copies
        FROM query_table(photos)
        WHERE photo_id IS NOT NULL
        GROUP BY photo_id
        HAVING count(*) > 1
    )

    SELECT
        photo.*,
        repeated.copies
    FROM query_table(photos) AS photo
    INNER JOIN repeated ON photo.photo_id = repeated.photo_id
    ORDER BY photo.photo_id
);
