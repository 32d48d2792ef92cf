-- error_quantiles(joined, quantiles := [0.1, 0.25, 0.5, 0.75, 0.9])
--
-- What    quantiles of the error over the answered rows, linearly interpolated, with the mean,
--         the GeoScore over all truth rows (0 points for a missing answer) and the coverage.
--         Quantiles and mean say nothing about rows without a prediction: read the coverage.
-- Grain   one row a quantile, in the order given; 0.5 is the median.
-- Units   km; GeoScore in points, 0 to 5000; coverage a share in [0, 1]. NULL where nothing is
--         answered.
-- Input   joined: name of a relation, as text, with one row a truth row: lat, lon, pred_lat,
--         pred_lon in degrees, NULL where there is no prediction.
-- Source  quantile_cont of haversine_km; GeoScore of OSV-5M (arXiv 2404.18873).
-- Needs   sql/macros/haversine_km.sql, sql/macros/geoscore.sql
-- Example FROM error_quantiles('joined', quantiles := [0.5]);
CREATE OR REPLACE MACRO error_quantiles(
    joined, quantiles := [0.1, 0.25, 0.5, 0.75, 0.9]
) AS TABLE (
    WITH scored AS (
        SELECT haversine_km(lat, lon, pred_lat, pred_lon) AS distance_km
        FROM query_table(joined)
    ),

    summed AS (
        SELECT
            count(*) AS truth_rows,
            count(distance_km) AS answered,
            quantile_cont(distance_km, quantiles::DOUBLE[]) AS errors_km,
            avg(distance_km) AS mean_km,
            sum(coalesce(geoscore(distance_km), 0)) / nullif(count(*), 0) AS mean_geoscore
        FROM scored
    )

    SELECT
        unnest(quantiles::DOUBLE[]) AS quantile,
        unnest(coalesce(errors_km, list_transform(quantiles, lambda q: NULL::DOUBLE))) AS error_km,
        mean_km,
        mean_geoscore,
        truth_rows,
        answered,
        answered / nullif(truth_rows, 0) AS coverage
    FROM summed
);
