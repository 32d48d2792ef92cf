-- within_km(lat1, lon1, lat2, lon2, limit_km): whether two points are at most limit_km apart.
--
-- What    haversine_km(...) <= limit_km, with a distance closer to the limit than 1 micrometre
--         (the rounding of float64 degrees) counted as on it. NULL where there is no distance:
--         write coalesce(within_km(...), false) where a missing answer is a wrong one.
-- Grain   scalar: one BOOLEAN for each row.
-- Units   degrees and km.
-- Source  the threshold rule of Im2GPS-style evaluation with `<=`, as in geodata.evaluation.
-- Needs   sql/macros/haversine_km.sql
CREATE OR REPLACE MACRO within_km(lat1, lon1, lat2, lon2, limit_km) AS
haversine_km(lat1, lon1, lat2, lon2) <= limit_km + 1e-9;
