-- dataset_split_leaks(photos)
--
-- What    rows whose photographer, H3 cell of resolution 5 or exact coordinate occurs in more than
--         one split.
-- Grain   one row an offending row, all its columns.
-- Units   degrees.
-- Input   photos: name of a relation, as text, with split, author, h3_5, lat and lon.
-- Example FROM dataset_split_leaks('split');
CREATE OR REPLACE MACRO dataset_split_leaks(photos) AS TABLE (
    WITH shared_author AS (
        SELECT author
        FROM query_table(photos)
        WHERE author IS NOT NULL
        GROUP BY author
        HAVING min(split) <> max(split)
    ),

    shared_cell AS (
        SELECT h3_5
        FROM query_table(photos)
        WHERE h3_5 IS NOT NULL
        GROUP BY h3_5
        HAVING min(split) <> max(split)
    ),

    shared_place AS (
        SELECT
            lat,
            lon
        FROM query_table(photos)
        WHERE isfinite(lat::DOUBLE) AND isfinite(lon::DOUBLE)
        GROUP BY lat, lon
        HAVING min(split) <> max(split)
    )

    SELECT photo.*
    FROM query_table(photos) AS photo
    WHERE
        photo.author IN (SELECT shared_author.author FROM shared_author)
        OR photo.h3_5 IN (SELECT shared_cell.h3_5 FROM shared_cell)
        OR (photo.lat, photo.lon) IN (SELECT (shared_place.lat, shared_place.lon) FROM shared_place)
);
