-- chord2(x1, y1, z1, x2, y2, z2): squared straight-line distance between two unit vectors.
--
-- What    |u - v|2, which is 4 haversine_a of the two points: the fastest distance there is where
--         unit vectors are stored with the data. NULL, never NaN.
-- Grain   scalar: one DOUBLE for each row.
-- Units   unit vectors x = cos(lat) cos(lon), y = cos(lat) sin(lon), z = sin(lat) in DOUBLE;
--         0 to 4 out, in squared sphere radii.
-- Source  |u - v|2 = 4 sin2(d / 2R).
--
-- The guard is isfinite(): DuckDB 2.0 answers comparisons and even isnan() of sums and products
-- from column statistics, which in Parquet leave NaN out.
CREATE OR REPLACE MACRO chord2(x1, y1, z1, x2, y2, z2) AS
CASE
    WHEN isfinite((x1 - x2) * (x1 - x2) + (y1 - y2) * (y1 - y2) + (z1 - z2) * (z1 - z2))
        THEN (x1 - x2) * (x1 - x2) + (y1 - y2) * (y1 - y2) + (z1 - z2) * (z1 - z2)
END;
