-- dataset_bad_coordinates(photos)
--
-- What    rows that a recipe must leave out, as they are no place on Earth: a coordinate is NULL,
--         not finite, or outside [-90, 90] and [-360, 360].
-- Grain   one row an offending row, all its columns.
-- Units   degrees.
-- Input   photos: name of a relation, as text, with lat and lon.
-- Example FROM dataset_bad_coordinates('rand');
CREATE OR REPLACE MACRO dataset_bad_coordinates(photos) AS TABLE (
    SELECT *
    FROM query_table(photos)
    WHERE
        NOT coalesce(isfinite(lat::DOUBLE) AND isfinite(lon::DOUBLE), false)
        OR abs(lat) > 90
        OR abs(lon) > 360
);
