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
-- Needs   sql/macros/chord2.sql, sql/macros/limit_a.sql
-- Example FROM threshold_accuracy_unit('vectors', thresholds_km := [25, 200]);
CREATE OR REPLACE MACRO threshold_accuracy_unit(
    joined, thresholds_km := [1, 25, 200, 750, 2500], strict := false, missing := 'wrong'
) AS TABLE (
    WITH scored AS (
        SELECT chord2(x, y, z, pred_x, pred_y, pred_z) AS chord
        FROM query_table(joined)
    ),

    counted AS (
        SELECT
            count(*) AS truth_rows,
            count(chord) AS answered,
            [
                count_if(chord <= 4 * limit_a(thresholds_km[1], strict)),
                count_if(chord <= 4 * limit_a(thresholds_km[2], strict)),
                count_if(chord <= 4 * limit_a(thresholds_km[3], strict)),
                count_if(chord <= 4 * limit_a(thresholds_km[4], strict)),
                count_if(chord <= 4 * limit_a(thresholds_km[5], strict)),
                count_if(chord <= 4 * limit_a(thresholds_km[6], strict)),
                count_if(chord <= 4 * limit_a(thresholds_km[7], strict)),
                count_if(chord <= 4 * limit_a(thresholds_km[8], strict)),
                count_if(chord <= 4 * limit_a(thresholds_km[9], strict)),
                count_if(chord <= 4 * limit_a(thresholds_km[10], strict))
            ] AS correct
        FROM scored
    )

    SELECT
        unnest(thresholds_km::DOUBLE[]) AS threshold_km,
        truth_rows,
        answered,
        coalesce(unnest(correct[:len(thresholds_km)]), 0)::BIGINT AS correct,
        coalesce(unnest(correct[:len(thresholds_km)]), 0)
        / nullif(
            CASE missing
                WHEN 'wrong' THEN truth_rows
                WHEN 'exclude' THEN answered
                ELSE error('missing is wrong or exclude')
            END, 0
        ) AS accuracy,
        answered / nullif(truth_rows, 0) AS coverage,
        missing AS missing
    FROM counted
    WHERE CASE
        WHEN len(thresholds_km) NOT BETWEEN 1 AND 10
            THEN error('thresholds_km takes 1 to 10 thresholds; call it again for more')
        WHEN list_min(thresholds_km::DOUBLE[]) >= 0
            AND len(list_filter(thresholds_km, lambda t: isfinite(t::DOUBLE)))
            = len(thresholds_km) THEN true
        ELSE error('every threshold in km must be a number >= 0')
    END
);
