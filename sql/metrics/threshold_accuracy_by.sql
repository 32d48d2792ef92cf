-- threshold_accuracy_by(joined, by_column, threshold_km := 25, strict := false)
--
-- What    share of truth rows answered within one threshold, for each value of a column. A row
--         without a valid prediction is wrong.
-- Grain   one row a value of the column, NULL included; most rows first.
-- Units   km; accuracy and coverage are shares of the group's truth rows in [0, 1].
-- Input   joined: name of a relation, as text, with one row a truth row: lat, lon, pred_lat,
--         pred_lon in degrees, NULL where there is no prediction.
--         by_column: a column of it or an expression, not as text.
-- Source  sin2(d / 2R) <= sin2(t / 2R) on R = 6371 km.
-- Needs   sql/macros/haversine_a.sql, sql/macros/limit_a.sql
-- Example FROM threshold_accuracy_by('joined', country_code, threshold_km := 200);
CREATE OR REPLACE MACRO threshold_accuracy_by(
    joined, by_column, threshold_km := 25, strict := false
) AS TABLE (
    WITH scored AS (
        SELECT
            by_column AS group_value,
            haversine_a(lat, lon, pred_lat, pred_lon) AS a
        FROM query_table(joined)
    )

    SELECT
        group_value,
        threshold_km::DOUBLE AS threshold_km,
        count(*) AS truth_rows,
        count(a) AS answered,
        coalesce(count_if(a <= limit_a(threshold_km::DOUBLE, strict)), 0)::BIGINT AS correct,
        coalesce(count_if(a <= limit_a(threshold_km::DOUBLE, strict)), 0) / count(*) AS accuracy,
        count(a) / count(*) AS coverage
    FROM scored
    GROUP BY group_value
    ORDER BY truth_rows DESC, group_value
);
