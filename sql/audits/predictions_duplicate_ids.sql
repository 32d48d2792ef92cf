-- predictions_duplicate_ids(predictions)
--
-- What    rows that share their id with another row, and whether all of them agree: the same
--         answer twice is harmless, two answers to one question are not.
-- Grain   one row an offending row, all its columns, with copies (rows of that id) and agree.
-- Units   degrees.
-- Input   predictions: name of a relation, as text, with id, pred_lat and pred_lon.
-- Example FROM predictions_duplicate_ids('predictions');
CREATE OR REPLACE MACRO predictions_duplicate_ids(predictions) AS TABLE (
    SELECT
        *,
        count(*) OVER same_id AS copies,
        min(struct_pack(pred_lat, pred_lon)) OVER same_id
        = max(struct_pack(pred_lat, pred_lon)) OVER same_id AS agree
    FROM query_table(predictions)
    WINDOW same_id AS (PARTITION BY id)
    QUALIFY count(*) OVER same_id > 1
    ORDER BY id
);
