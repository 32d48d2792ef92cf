-- dataset_leaked_rows(photos, benchmark)
--
-- What    rows that share a photo id, a photographer or the exact coordinate with a test set.
-- Grain   one row an offending row, all its columns, with shares: what it shares, as a list.
-- Units   degrees.
-- Input   names of two relations, as text, each with photo_id, author, lat and lon; NULL is
--         shared with nothing, NaN neither.
-- Example FROM dataset_leaked_rows('train', 'im2gps3k');
CREATE OR REPLACE MACRO dataset_leaked_rows(photos, benchmark) AS TABLE (
    SELECT
        *,
        list_filter(
            [
                CASE
                    WHEN photo_id IN (SELECT b.photo_id FROM query_table(benchmark) AS b WHERE b.photo_id IS NOT NULL)
                        THEN 'photo_id'
                END,
                CASE
                    WHEN author IN (SELECT b.author FROM query_table(benchmark) AS b WHERE b.author IS NOT NULL)
                        THEN 'author'
                END,
                CASE
                    WHEN (lat, lon) IN (
                        SELECT (b.lat, b.lon) FROM query_table(benchmark) AS b
                        WHERE isfinite(b.lat::DOUBLE) AND isfinite(b.lon::DOUBLE)
                    )
                        THEN 'coordinate'
                END
            ],
            lambda shared : shared IS NOT NULL
        ) AS shares
    FROM query_table(photos)
    WHERE len(shares) > 0
);
