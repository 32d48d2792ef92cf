-- threshold_shares(scored, thresholds_km, strict, missing)
--
-- What    what the threshold metrics share: their counts and shares, from distances already taken.
--         A row whose distance is NULL is wrong; missing := 'exclude' takes such rows out of the
--         denominator, and the result says so. The test is `<=`, or `<` with strict := true; a
--         distance closer to the threshold than 1 micrometre counts as on it.
-- Grain   one row a threshold, in the order given; at most 10 thresholds.
-- Units   km; accuracy and coverage are shares in [0, 1], NULL where there is no row to count.
-- Input   scored: name of a relation, as text, with one row a truth row: a, the haversine_a of
--         truth and prediction, NULL where there is no prediction. A CTE of the caller will do.
-- Source  share of a <= sin2(t / 2R) on R = 6371 km: no arc function, one pass.
-- Needs   sql/macros/limit_a.sql
-- Example WITH scored AS (SELECT 1e-6 AS a) FROM threshold_shares('scored', [25], false, 'wrong');
CREATE OR REPLACE MACRO threshold_shares(scored, thresholds_km, strict, missing) AS TABLE (
    WITH counted AS (
        SELECT
            count(*) AS truth_rows,
            count(a) AS answered,
            [
                count_if(a <= limit_a(thresholds_km[1], strict)),
                count_if(a <= limit_a(thresholds_km[2], strict)),
                count_if(a <= limit_a(thresholds_km[3], strict)),
                count_if(a <= limit_a(thresholds_km[4], strict)),
                count_if(a <= limit_a(thresholds_km[5], strict)),
                count_if(a <= limit_a(thresholds_km[6], strict)),
                count_if(a <= limit_a(thresholds_km[7], strict)),
                count_if(a <= limit_a(thresholds_km[8], strict)),
                count_if(a <= limit_a(thresholds_km[9], strict)),
                count_if(a <= limit_a(thresholds_km[10], strict))
            ] AS correct
        FROM query_table(scored)
    )

    SELECT
        unnest(thresholds_km::DOUBLE[]) AS threshold_km,
        truth_rows,
        answered,
        coalesce(unnest(correct[1:len(thresholds_km)]), 0)::BIGINT AS correct,
        coalesce(unnest(correct[1:len(thresholds_km)]), 0)
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
