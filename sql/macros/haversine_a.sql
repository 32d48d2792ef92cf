-- haversine_a(lat1, lon1, lat2, lon2): haversine of the central angle.
--
-- What    a = sin2(d / 2R), which grows with the distance d, so that a threshold needs no arc
--         function: d <= t where a <= sin2(t / 2R). Compare a, not haversine_km, in large scans:
--         it is the faster of the two. NULL, never NaN, for the inputs that haversine_km refuses.
-- Grain   scalar: one DOUBLE for each row.
-- Units   degrees in; 0 to 1, no unit (1 + 2^-52 at some antipodes).
-- Source  Geo-R, arXiv 2601.00388, Eq. 1-3, in half angles:
--         a = sin2(h) (1 - sin2(l)) + cos2(s) sin2(l), three trigonometric calls instead of four.
CREATE OR REPLACE MACRO haversine_a(lat1, lon1, lat2, lon2) AS
nullif(
    CASE WHEN abs(lat1) <= 90 AND abs(lat2) <= 90 AND abs(lon1) <= 360 AND abs(lon2) <= 360 THEN 1 END
    * (
        sin((CASE WHEN isfinite(lat2::DOUBLE) THEN lat2::DOUBLE END - CASE WHEN isfinite(lat1::DOUBLE) THEN lat1::DOUBLE END) * (pi() / 360))
        * sin((CASE WHEN isfinite(lat2::DOUBLE) THEN lat2::DOUBLE END - CASE WHEN isfinite(lat1::DOUBLE) THEN lat1::DOUBLE END) * (pi() / 360))
        * (
            1
            - sin((CASE WHEN isfinite(lon2::DOUBLE) THEN lon2::DOUBLE END - CASE WHEN isfinite(lon1::DOUBLE) THEN lon1::DOUBLE END) * (pi() / 360))
            * sin((CASE WHEN isfinite(lon2::DOUBLE) THEN lon2::DOUBLE END - CASE WHEN isfinite(lon1::DOUBLE) THEN lon1::DOUBLE END) * (pi() / 360))
        )
        + cos((CASE WHEN isfinite(lat2::DOUBLE) THEN lat2::DOUBLE END + CASE WHEN isfinite(lat1::DOUBLE) THEN lat1::DOUBLE END) * (pi() / 360))
        * cos((CASE WHEN isfinite(lat2::DOUBLE) THEN lat2::DOUBLE END + CASE WHEN isfinite(lat1::DOUBLE) THEN lat1::DOUBLE END) * (pi() / 360))
        * (
            sin((CASE WHEN isfinite(lon2::DOUBLE) THEN lon2::DOUBLE END - CASE WHEN isfinite(lon1::DOUBLE) THEN lon1::DOUBLE END) * (pi() / 360))
            * sin((CASE WHEN isfinite(lon2::DOUBLE) THEN lon2::DOUBLE END - CASE WHEN isfinite(lon1::DOUBLE) THEN lon1::DOUBLE END) * (pi() / 360))
        )
    ),
    'nan'::DOUBLE
);
