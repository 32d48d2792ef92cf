-- threshold_accuracy_unit(joined, thresholds_km := [1, 25, 200, 750, 2500], strict := false,
--                         missing := 'wrong')
--
-- What    share of truth rows answered within each threshold, coverage beside it. A row without
--         a valid prediction is wrong; missing := 'exclude' takes such rows out of the
--         denominator, and the result says so. The test is `<=`, or `<` with strict := true; a
--         distance closer to the threshold than 1 micrometre counts as on it.
-- Grain   one row a threshold, in the order given; at most 10 thresholds.
-- Units   km; accuracy and coverage are shares in [0, 1], NULL where there is no row to count.
-- Input   joined: name of a relation, as text, with one row a truth row: unit vectors x, y, z and
--         pred_x, pred_y, pred_z in DOUBLE, NULL where there is no prediction.
-- Source  share of |u - v|2 <= 4 sin2(t / 2R) on R = 6371 km; counts equal threshold_accuracy.
-- Needs   sql/macros/chord2.sql, sql/macros/limit_a.sql, sql/macros/threshold_shares.sql
-- Example FROM threshold_accuracy_unit('vectors', thresholds_km := [25, 200]);
CREATE OR REPLACE MACRO threshold_accuracy_unit(
    joined, thresholds_km := [1, 25, 200, 750, 2500], strict := false, missing := 'wrong'
) AS TABLE (
    WITH scored AS (  -- noqa: ST03, threshold_shares reads it by its name
        SELECT chord2(x, y, z, pred_x, pred_y, pred_z) / 4 AS a
        FROM query_table(joined)
    )

    FROM threshold_shares('scored', thresholds_km, strict, missing)
);
