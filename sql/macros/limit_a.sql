-- limit_a(limit_km, strict): the haversine_a that a distance limit allows.
--
-- What    sin2(t / 2R), to be compared as haversine_a(...) <= limit_a(t, false) for `d <= t` and
--         haversine_a(...) <= limit_a(t, true) for `d < t`. The limit is moved by 1 micrometre,
--         so that a distance closer to it than the rounding of float64 degrees is on it: within
--         for `<=` and outside for `<`, in every engine. NULL for NULL.
-- Grain   scalar: one DOUBLE; a constant limit is computed once, not for each row.
-- Units   km in, no unit out: below 0 for a limit below 0, at least 1 from half a circumference.
-- Source  Geo-R, arXiv 2601.00388, Eq. 1-4, solved for a; the half circumference is pi 6371 km.
--         The factor lets in the 1 + 2^-52 that haversine_a is at some antipodes.
CREATE OR REPLACE MACRO limit_a(limit_km, strict) AS
sign(limit_km + if(strict, -1e-9, 1e-9))
* pow(sin(least(limit_km + if(strict, -1e-9, 1e-9), pi() * 6371) / 12742), 2)
* (1 + 1e-15::DOUBLE);
