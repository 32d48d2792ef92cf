-- predictions_null_island(joined)
--
-- What    predictions at latitude 0, longitude 0, to a thousandth of a degree: what a failed
--         answer becomes when it is written as zeros.
-- Grain   one row an offending prediction, all its columns.
-- Units   degrees.
-- Input   joined: name of a relation, as text, with pred_lat and pred_lon.
-- Example FROM predictions_null_island('joined');
CREATE OR REPLACE MACRO predictions_null_island(joined) AS TABLE (
    SELECT *
    FROM query_table(joined)
    WHERE
        isfinite(pred_lat::DOUBLE) AND abs(pred_lat) < 0.001
        AND isfinite(pred_lon::DOUBLE) AND abs(pred_lon) < 0.001
);
