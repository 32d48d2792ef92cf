-- predictions_out_of_range(joined)
--
-- What    predictions that are no place on Earth: a latitude outside [-90, 90], a longitude
--         outside [-360, 360], an infinity. Many of them with |pred_lat| > 90 mean swapped columns.
-- Grain   one row an offending prediction, all its columns.
-- Units   degrees.
-- Input   joined: name of a relation, as text, with pred_lat and pred_lon.
-- Example FROM predictions_out_of_range('joined');
CREATE OR REPLACE MACRO predictions_out_of_range(joined) AS TABLE (
    SELECT *
    FROM query_table(joined)
    WHERE
        (isfinite(pred_lat::DOUBLE) AND abs(pred_lat) > 90)
        OR (isfinite(pred_lon::DOUBLE) AND abs(pred_lon) > 360)
        OR isinf(pred_lat::DOUBLE)
        OR isinf(pred_lon::DOUBLE)
);
