-- haversine_km(lat1, lon1, lat2, lon2): great-circle distance.
--
-- What    distance on the sphere of R = 6371 km between two points in degrees. NULL, never NaN,
--         where a coordinate is NULL, NaN, infinite, a latitude outside [-90, 90] or a longitude
--         outside [-360, 360].
-- Grain   scalar: one DOUBLE for each row.
-- Units   degrees in, km out, 0 to 20015.086796.
-- Source  Geo-R, arXiv 2601.00388, Eq. 1-4, as 2 R atan2(sqrt(a), sqrt(1 - a)). With half angles
--         h = (lat2 - lat1) / 2, s = (lat2 + lat1) / 2, l = (lon2 - lon1) / 2
--             a     = sin2(h) cos2(l) + cos2(s) sin2(l)
--             1 - a = cos2(h) cos2(l) + sin2(s) sin2(l)
--         Nothing is subtracted, so it is as exact at antipodes as anywhere else: within 1e-9 km
--         of the Python function geodata.sphere.haversine_km.
--
-- A macro has no local names, so each angle is written out where it is used; DuckDB computes
-- every distinct one once. Squares are products because pow() costs more than the sine. What lies
-- in range is asked once; infinities are kept from the sines, which some versions refuse.
CREATE OR REPLACE MACRO haversine_km(lat1, lon1, lat2, lon2) AS
nullif(
    CASE WHEN abs(lat1) <= 90 AND abs(lat2) <= 90 AND abs(lon1) <= 360 AND abs(lon2) <= 360 THEN 2 * 6371.0::DOUBLE END
    * atan2(
        sqrt(
            sin((CASE WHEN isfinite(lat2::DOUBLE) THEN lat2::DOUBLE END - CASE WHEN isfinite(lat1::DOUBLE) THEN lat1::DOUBLE END) * (pi() / 360))
            * sin((CASE WHEN isfinite(lat2::DOUBLE) THEN lat2::DOUBLE END - CASE WHEN isfinite(lat1::DOUBLE) THEN lat1::DOUBLE END) * (pi() / 360))
            * cos((CASE WHEN isfinite(lon2::DOUBLE) THEN lon2::DOUBLE END - CASE WHEN isfinite(lon1::DOUBLE) THEN lon1::DOUBLE END) * (pi() / 360))
            * cos((CASE WHEN isfinite(lon2::DOUBLE) THEN lon2::DOUBLE END - CASE WHEN isfinite(lon1::DOUBLE) THEN lon1::DOUBLE END) * (pi() / 360))
            +
            cos((CASE WHEN isfinite(lat2::DOUBLE) THEN lat2::DOUBLE END + CASE WHEN isfinite(lat1::DOUBLE) THEN lat1::DOUBLE END) * (pi() / 360))
            * cos((CASE WHEN isfinite(lat2::DOUBLE) THEN lat2::DOUBLE END + CASE WHEN isfinite(lat1::DOUBLE) THEN lat1::DOUBLE END) * (pi() / 360))
            * sin((CASE WHEN isfinite(lon2::DOUBLE) THEN lon2::DOUBLE END - CASE WHEN isfinite(lon1::DOUBLE) THEN lon1::DOUBLE END) * (pi() / 360))
            * sin((CASE WHEN isfinite(lon2::DOUBLE) THEN lon2::DOUBLE END - CASE WHEN isfinite(lon1::DOUBLE) THEN lon1::DOUBLE END) * (pi() / 360))
        ),
        sqrt(
            cos((CASE WHEN isfinite(lat2::DOUBLE) THEN lat2::DOUBLE END - CASE WHEN isfinite(lat1::DOUBLE) THEN lat1::DOUBLE END) * (pi() / 360))
            * cos((CASE WHEN isfinite(lat2::DOUBLE) THEN lat2::DOUBLE END - CASE WHEN isfinite(lat1::DOUBLE) THEN lat1::DOUBLE END) * (pi() / 360))
            * cos((CASE WHEN isfinite(lon2::DOUBLE) THEN lon2::DOUBLE END - CASE WHEN isfinite(lon1::DOUBLE) THEN lon1::DOUBLE END) * (pi() / 360))
            * cos((CASE WHEN isfinite(lon2::DOUBLE) THEN lon2::DOUBLE END - CASE WHEN isfinite(lon1::DOUBLE) THEN lon1::DOUBLE END) * (pi() / 360))
            +
            sin((CASE WHEN isfinite(lat2::DOUBLE) THEN lat2::DOUBLE END + CASE WHEN isfinite(lat1::DOUBLE) THEN lat1::DOUBLE END) * (pi() / 360))
            * sin((CASE WHEN isfinite(lat2::DOUBLE) THEN lat2::DOUBLE END + CASE WHEN isfinite(lat1::DOUBLE) THEN lat1::DOUBLE END) * (pi() / 360))
            * sin((CASE WHEN isfinite(lon2::DOUBLE) THEN lon2::DOUBLE END - CASE WHEN isfinite(lon1::DOUBLE) THEN lon1::DOUBLE END) * (pi() / 360))
            * sin((CASE WHEN isfinite(lon2::DOUBLE) THEN lon2::DOUBLE END - CASE WHEN isfinite(lon1::DOUBLE) THEN lon1::DOUBLE END) * (pi() / 360))
        )
    ),
    'nan'::DOUBLE
);
