-- predictions_repeated(joined, at_least := 10)
--
-- What    exact coordinates that many rows share, the sign of placeholders (12.3456, 123.4567)
--         and of a model that falls back on one place.
-- Grain   one row a coordinate pair that at_least rows give, most frequent first.
-- Units   degrees; rows.
-- Input   joined: name of a relation, as text, with pred_lat and pred_lon.
-- Example FROM predictions_repeated('joined', at_least := 50);
CREATE OR REPLACE MACRO predictions_repeated(joined, at_least := 10) AS TABLE (
    SELECT
        pred_lat,
        pred_lon,
        count(*) AS copies
    FROM query_table(joined)
    WHERE isfinite(pred_lat::DOUBLE) AND isfinite(pred_lon::DOUBLE)
    GROUP BY pred_lat, pred_lon
    HAVING count(*) >= at_least
    ORDER BY copies DESC, pred_lat, pred_lon
);
