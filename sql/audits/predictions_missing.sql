-- predictions_missing(joined)
--
-- What    truth rows without a prediction: a coordinate is NULL or not a number. Each of them
--         counts as wrong.
-- Grain   one row an offending truth row, all its columns.
-- Units   degrees.
-- Input   joined: name of a relation, as text, with pred_lat and pred_lon.
-- Note    NaN is found with isfinite(): DuckDB 2.0 answers isnan() from Parquet statistics, which
--         leave NaN out.
-- Example FROM predictions_missing('joined');
CREATE OR REPLACE MACRO predictions_missing(joined) AS TABLE (
    SELECT *
    FROM query_table(joined)
    WHERE
        NOT coalesce(isfinite(pred_lat::DOUBLE) OR isinf(pred_lat::DOUBLE), false)
        OR NOT coalesce(isfinite(pred_lon::DOUBLE) OR isinf(pred_lon::DOUBLE), false)
);
