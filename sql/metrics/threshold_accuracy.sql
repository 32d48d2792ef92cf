-- threshold_accuracy(joined, thresholds_km := [1, 25, 200, 750, 2500], strict := false,
--                    missing := 'wrong')
--
-- What    share of truth rows answered within each threshold, coverage beside it. A row without
--         a valid prediction is wrong; missing := 'exclude' takes such rows out of the
--         denominator, and the result says so. The test is `<=`, or `<` with strict := true; a
--         distance closer to the threshold than 1 micrometre counts as on it.
-- Grain   one row a threshold, in the order given; at most 10 thresholds.
-- Units   km; accuracy and coverage are shares in [0, 1], NULL where there is no row to count.
-- Input   joined: name of a relation, as text, with one row a truth row: lat, lon, pred_lat,
--         pred_lon in degrees, NULL where there is no prediction.
-- Source  share of sin2(d / 2R) <= sin2(t / 2R) on R = 6371 km: no arc function, one pass.
-- Needs   sql/macros/haversine_a.sql, sql/macros/limit_a.sql, sql/macros/threshold_shares.sql
-- Example FROM threshold_accuracy('joined', thresholds_km := [25, 200]);
CREATE OR REPLACE MACRO threshold_accuracy(
    joined, thresholds_km := [1, 25, 200, 750, 2500], strict := false, missing := 'wrong'
) AS TABLE (
    WITH scored AS (  -- noqa: ST03, threshold_shares reads it by its name
        SELECT haversine_a(lat, lon, pred_lat, pred_lon) AS a
        FROM query_table(joined)
    )

    FROM threshold_shares('scored', thresholds_km, strict, missing)
);
